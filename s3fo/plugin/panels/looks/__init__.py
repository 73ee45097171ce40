"""Failures by their looks: the order of a list, and a map."""
