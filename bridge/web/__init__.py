"""The HTTP side: who, what, do, answer."""
