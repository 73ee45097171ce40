"""How far long work is, told in a log."""

from __future__ import annotations

import itertools

from s3fo.cli.console import progress_lines


def test_a_log_gets_a_line_after_ten_seconds_and_then_ever_fewer(capsys) -> None:
    seconds = 0.0
    report = progress_lines("score", clock=lambda: seconds)
    for done in range(1201):
        seconds = float(done)
        report(done, 1200, f"video {done}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "score: 10 of 1200 after 10 s: video 10"
    told = [int(line.split()[1]) for line in lines]
    assert told[:10] == [10 * number for number in range(1, 11)]
    # From 100 seconds on a tenth of all time lies between two lines.
    gaps = [late - early for early, late in itertools.pairwise(told[9:])]
    assert gaps[0] == 12 and 110 <= gaps[-1] <= 121 and gaps == sorted(gaps)


def test_short_work_says_nothing(capsys) -> None:
    seconds = 0.0
    report = progress_lines("score", clock=lambda: seconds)
    for done in range(100):
        seconds = done * 0.0999
        report(done, 100, "")
    assert capsys.readouterr() == ("", "")
