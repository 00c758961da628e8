"""``altinn-bridge check``."""
