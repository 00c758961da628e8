"""Forms in JSON, held against their JSON Schema."""
