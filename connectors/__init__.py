"""The edges: how changes leave an agency's system and how deliveries enter one."""
