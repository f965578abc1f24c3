"""Measuring the bus against a raw exactly-once copy of the same bytes through the same hops, in one run."""
