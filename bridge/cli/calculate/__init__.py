"""``altinn-bridge calculate``."""
