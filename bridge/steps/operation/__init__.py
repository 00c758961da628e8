"""The story of any press, whatever its target: accepted, run, and told to its dialog."""
