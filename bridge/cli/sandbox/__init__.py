"""``altinn-bridge sandbox`` and what is asked of one that runs."""
