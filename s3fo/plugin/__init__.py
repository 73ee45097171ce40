"""FiftyOne operators and panels: thin, all logic is in the library."""
