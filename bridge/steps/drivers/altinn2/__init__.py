"""Altinn 2 as a target: an element, brought where the action wants it."""
