"""Look at masks and labels that are scored: refuse mistakes, tell what is odd."""
