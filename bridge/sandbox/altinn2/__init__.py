"""Altinn 2's REST API, and what it holds."""
