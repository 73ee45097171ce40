"""FiftyOne operators, one file per operator."""
