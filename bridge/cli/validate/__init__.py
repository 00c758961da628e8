"""``altinn-bridge validate``."""
