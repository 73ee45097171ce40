"""Command line: the same verbs as the Python functions and the App operators."""


def main() -> None:
    """Entry point of the ``s3fo`` command."""
