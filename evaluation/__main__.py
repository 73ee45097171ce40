"""``python -m evaluation RESULTS GROUND_TRUTH``: scores, where there is only this."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evaluation.errors import InputError
from evaluation.options import InputOptions
from evaluation.protocols import PROTOCOLS
from evaluation.scoring import score


def main(words: Sequence[str] | None = None) -> int:
    """Score a results folder and print the table; `s3fo evaluate` can do more.

    Args:
        words: of the command line; None for those of this process.

    Returns:
        The exit code: 0, or 2 where the input is not as it should be.
    """
    parser = argparse.ArgumentParser(
        "python -m evaluation", description="Score predicted masks against true ones."
    )
    parser.add_argument("results", help="folder of <sequence>/<frame>.png, or JSON")
    parser.add_argument("ground_truth", help="the same, of the true masks")
    parser.add_argument("--protocol", default="davis-2017", choices=sorted(PROTOCOLS))
    parser.add_argument("--missing", default="error", help="or score-as-empty")
    parser.add_argument("--resize", help="nearest: predictions of another size")
    parser.add_argument("--binarize", action="store_true", help="not 0 is object 1")
    parser.add_argument("--void", type=int, help="label to leave out")
    parser.add_argument("--per-object", action="store_true", help="every object, too")
    given = parser.parse_args(words)
    try:
        options = InputOptions(given.missing, given.resize, given.binarize, given.void)
        scores = score(
            given.results, given.ground_truth, given.protocol, options=options
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(scores.format_table(per_object=given.per_object))
    return 0


if __name__ == "__main__":
    sys.exit(main())
