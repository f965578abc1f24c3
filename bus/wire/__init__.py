"""Kafka and the registry, at arm's length: clients, transactions, compacted tables."""
