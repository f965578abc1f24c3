"""The freshness worker: a Faust app around the rules of `processors/freshness` (Art 16)."""
