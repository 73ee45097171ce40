"""What commands print for people: tables that keep words whole, notes said once."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pandas as pd
import pytest

from evaluation.errors import InputError
from evaluation.results.text import notes_to_show
from s3fo.cli.analysis import _worst_groups
from s3fo.cli.console import _fitting, print_notes_of, print_table
from s3fo.plugin.serving import require_opened, start_patiently


def test_what_is_said_of_many_videos_is_said_once():
    said = [f"v{n}: predicted ids 2 are no objects" for n in range(5)]
    notes = ["all masks are boxes", "v1: flipped", *said, "v1: flipped", "v4: flipped"]
    assert notes_to_show(notes) == [
        "all masks are boxes",
        "v1: flipped",
        "v4: flipped",
        "v0, v1, v2 and 2 more: predicted ids 2 are no objects",
    ]
    assert notes_to_show(said[:3]) == said[:3], "few are told in full"


def test_words_of_wide_tables_stay_whole(capsys):
    columns = ["results", *(f"J&F_reappearance_{n}" for n in range(8))]
    print_table("wide", columns, [["mine", *[0.5] * 8], ["theirs", *[0.25] * 8]])
    out = capsys.readouterr().out
    assert all(column in out for column in columns)
    assert len(out.splitlines()) == 7, "title, two blank lines, head, line, two rows"


def test_no_column_is_cut_where_another_may_be_folded(capsys):
    columns = ["attribute", "group", *(f"column_{n}" for n in range(7)), "few"]
    words = ["background_similarity", "high (>= 0.876) and more"]
    print_table("wide", columns, [[*words, *[0.5] * 7, False]])
    out = capsys.readouterr().out
    assert all(word in out for word in [*columns, "False"])


def test_a_window_shows_as_many_columns_as_it_has_room_for():
    columns, body = ["results", "abcdefgh", "ijklmnop", "q"], [["m", 0.5, 0.5, 0.5]]
    # 7 + 8 + 8 + 5 letters, and three blanks each.
    assert _fitting(columns, body, 40) == [[0, 1, 2, 3]]
    assert _fitting(columns, body, 39) == [[0, 1, 2], [0, 3]]
    assert _fitting(columns, body, 21) == [[0, 1], [0, 2], [0, 3]]
    assert _fitting(columns, body, 5) == [[0, 1], [0, 2], [0, 3]]
    assert _fitting(columns, body, None) == [[0, 1, 2, 3]]


def test_a_note_on_all_is_printed_once(capsys):
    print_notes_of({"a": ["slow", "own"], "b": ["slow"], "c": ["other", "slow"]})
    told = capsys.readouterr().err.splitlines()
    assert told == ["note: slow", "note: a: own", "note: c: other"]
    print_notes_of({"a": ["alone"]})
    assert capsys.readouterr().err == "note: a: alone\n"


def test_a_breakdown_prints_one_group_per_attribute_the_lowest_first():
    groups = pd.DataFrame(
        [
            ("all", "all", 9, 3, 0.8, None, False),
            ("size", "low", 4, 2, 0.7, -0.2, False),
            ("size", "high", 5, 3, 0.75, -0.1, False),
            ("speed", "high", 2, 1, 0.2, -0.6, True),
            ("occluded", "no", 6, 3, 0.6, -0.3, False),
            ("occluded", "yes", 3, 3, 0.9, 0.3, False),
        ],
        columns=["attribute", "group", "n_objects", "n_videos", "mean", "delta", "few"],
    )
    shown = _worst_groups(groups, "J&F")
    assert list(zip(shown["attribute"], shown["group"], strict=True)) == [
        ("all", "all"),
        ("size", "low"),
        ("speed", "high"),
    ]


@pytest.fixture(scope="module")
def server():
    """An App's server that opens one dataset, and cannot read another."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["variables"]["name"]
            answer: dict = {"data": {"dataset": {"name": name}}}
            if name == "elsewhere":
                answer = {"data": {"dataset": None}}
            if name == "damaged":
                answer = {"data": None, "errors": [{"message": "no such field"}]}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    own = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=own.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{own.server_port}"
    own.shutdown()


def test_an_app_that_cannot_open_the_dataset_is_told_apart(server):
    require_opened(server, "here")
    with pytest.raises(InputError, match="serves another database") as caught:
        require_opened(server, "elsewhere")
    assert "--port" in str(caught.value)
    with pytest.raises(InputError, match="no such field"):
        require_opened(server, "damaged")
    require_opened("http://127.0.0.1:9", "nobody answers", patience=0)


def test_a_server_that_comes_up_late_is_waited_for():
    late = pytest.importorskip("fiftyone.core.service").ServiceListenTimeout
    starts = []

    def launch(succeed_at: int) -> str:
        starts.append(succeed_at)
        if len(starts) < succeed_at:
            raise late("server", 5151)
        return "session"

    assert start_patiently(lambda: launch(2)) == "session"
    assert len(starts) == 2
    starts.clear()
    with pytest.raises(InputError, match="less busy"):
        start_patiently(lambda: launch(9))
    assert len(starts) == 3
