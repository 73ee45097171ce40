"""Scores in, tables out: stored, compared, printed."""
