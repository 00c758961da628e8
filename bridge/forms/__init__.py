"""Forms of any origin: read safely, held against their schemas, compared and converted."""
