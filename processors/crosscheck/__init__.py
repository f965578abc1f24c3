"""Cross-checks 多元校核: what sources say of one subject is compared without opening an identity (Art 5, 28)."""
