"""Zips for benchmark servers: checked first, then written."""
