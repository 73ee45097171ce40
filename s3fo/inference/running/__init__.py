"""The predict loop: frames in, results folder out."""
