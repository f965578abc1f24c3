"""The key store: token, section and pseudonym keys."""
