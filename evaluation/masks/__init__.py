"""Bytes on disk in, aligned label maps out."""
