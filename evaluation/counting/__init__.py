"""Label maps in, integer pixel counts out."""
