"""What a results folder is: its record, and finding such folders."""
