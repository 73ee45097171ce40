"""The charts of the panels."""
