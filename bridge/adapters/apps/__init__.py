"""Altinn 3 apps."""
