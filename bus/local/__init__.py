"""Apache Kafka and the schema registry on this machine, natively, with their own certificate authority."""
