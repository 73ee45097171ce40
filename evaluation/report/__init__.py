"""Scores as something a person puts in a paper, a slide or a pull request."""
