"""Maskinporten and the token exchange of Altinn's platform."""
