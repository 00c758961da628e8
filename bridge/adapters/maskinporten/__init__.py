"""Tokens for calling others."""
