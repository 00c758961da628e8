"""Stateless apps: they calculate a form, and store nothing."""
