"""What operators write: settings, mappings and routes; every fault at once, with its place."""
