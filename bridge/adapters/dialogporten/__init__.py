"""Dialogporten's APIs, and the tokens that it issues."""
