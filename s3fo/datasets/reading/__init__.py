"""What a dataset holds, as tables."""
