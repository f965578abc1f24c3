"""Quality of what flows: marks of records as they come, and their sums by agency, resource and day (Art 10, 51)."""
