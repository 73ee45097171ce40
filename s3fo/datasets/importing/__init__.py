"""Files in, FiftyOne labels and videos out."""
