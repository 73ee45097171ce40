"""Names of the fields that several modules share."""

GROUND_TRUTH = "ground_truth"
"""Frame field of the annotated masks."""
