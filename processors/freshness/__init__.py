"""Freshness: how old each source's data are, what is overdue, and the alarms that follow; pure rules (Art 16)."""
