"""The house: Kafka, registry, keys, settings, metrics, wiring; what an agency's developer imports."""
