"""What the benchmarks count, held against sequences that are known."""
