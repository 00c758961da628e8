"""One package for each system that the bridge calls, and what their calls share."""
