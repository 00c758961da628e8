"""Altinn 3 apps: stateless data types, each with its model and its calculation."""
