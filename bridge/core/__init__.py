"""What things mean: values and decisions, from the standard library alone, without clock, chance or I/O."""
