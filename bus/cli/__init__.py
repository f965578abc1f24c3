"""The command line: one tree of commands, from which help and documentation derive."""
