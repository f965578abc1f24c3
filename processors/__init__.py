"""The work: admit and deliver as pure functions from a batch to outcomes. No I/O, no clock."""
