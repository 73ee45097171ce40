"""Scores as something a person puts in a paper, a slide or a pull request."""

from evaluation.report.make import Report, report

__all__ = ["Report", "report"]
