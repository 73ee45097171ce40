"""Operators that help to see why scores are low: audit, maps, worst frames, masks."""
