"""Labels that others put into FiftyOne, as masks, label maps and object ids."""
