"""The register's database beside Kafka: where it is, what relays its decisions, what lets its clocks run."""
