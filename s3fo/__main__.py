"""``python -m s3fo``: the command line, where the program is not on the path."""

from s3fo.cli import main

if __name__ == "__main__":
    main()
