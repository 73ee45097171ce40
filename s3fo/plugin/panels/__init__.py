"""Panels of the App: what the scores say, where a method fails, a video's timeline."""
