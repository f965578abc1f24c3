"""The main job shown on real Kafka, with generated people."""
