"""Published figures and local runs, ranked together."""
