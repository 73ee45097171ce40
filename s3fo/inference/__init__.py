"""Video in, masks out: memory, propagation and baselines."""
