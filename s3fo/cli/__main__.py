"""``python -m s3fo.cli``: what `torchrun` starts."""

from s3fo.cli import main

main()
