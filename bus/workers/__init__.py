"""The long-running loops: read, hand to a processor, send, commit, in numbered steps."""
