"""Published figures and local runs, ranked together."""

from evaluation.leaderboard.table import Leaderboard, leaderboard

__all__ = ["Leaderboard", "leaderboard"]
