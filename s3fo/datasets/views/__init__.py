"""How a dataset looks when it is opened."""
