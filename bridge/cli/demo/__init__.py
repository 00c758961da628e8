"""``altinn-bridge demo``."""
