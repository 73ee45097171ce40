"""What operators and panels share: forms, outcomes, errors, what the App is told."""
