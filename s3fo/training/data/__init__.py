"""Training material in, batches of clips out."""
