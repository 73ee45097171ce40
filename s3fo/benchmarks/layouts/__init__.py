"""How each family of benchmarks lies on disk."""
