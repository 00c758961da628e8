"""What all systems of the sandbox share: HTTP, tokens, the ledger, switches, and what the seed decides."""
