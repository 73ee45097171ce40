"""What each video object segmentation benchmark looks like on disk."""
