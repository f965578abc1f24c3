"""The cross-check worker 多元校核: what sources say of one subject, compared as it comes (Art 5, 28)."""
