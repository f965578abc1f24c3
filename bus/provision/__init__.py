"""What must exist on the cluster, derived from the register: topics, rights, schemas."""
