"""Names that become paths stay one part of a path; nothing outside is touched."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation._utils.atomic import (
    host_id,
    new_folder,
    part_path,
    remove_inside,
    remove_left_behind,
    require_writable,
    write_atomically,
)
from evaluation._utils.names import check_names, file_name, safe_name
from evaluation.errors import InputError

BAD = [
    "", " ", ".", "..", "../x", "a/b", "a\\b", "/etc", "C:", "C:\\x", "c:x", "a\0b",
    "a\nb", "a\x1b[2Jb", "\x7f", "a\u0085b", "a\u2028b", ".hidden", "x" * 256,
    "ü" * 128, "\ud800", None, 3, b"a",
]  # fmt: skip
GOOD = [
    "bear", "00000", "a b", "a.b", "[red]x", "$x$", "тест", "e\u0301", "x" * 255,
    "ab:c", "-rf", "con", "=1+1", os.fsdecode(b"\xb2\xe2"), "x" * 61,
]  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(InputError, match=r"val\.txt"):
        safe_name(name, "sequence", "val.txt")
    with pytest.raises(InputError, match=r"val\.txt"):
        check_names(["bear", name, "cow"], "sequence", "val.txt")


@pytest.mark.parametrize("name", GOOD, ids=ascii)
def test_unusual_names_are_names(name):
    assert safe_name(name, "sequence", "val.txt") == name
    check_names([name, "bear"], "sequence", "val.txt")


def test_the_ending_takes_room():
    assert safe_name("x" * 251, "frame", "here", ".png")
    with pytest.raises(InputError, match="252 bytes"):
        safe_name("x" * 252, "frame", "here", ".png")


@pytest.mark.seconds
@given(st.text(max_size=80))
def test_many_names_are_judged_as_one(name):
    def refused(function, *args):
        try:
            function(*args)
        except InputError:
            return True
        return False

    assert refused(check_names, ["a", name], "s", "w") == refused(
        safe_name, name, "s", "w"
    )


@given(st.text(max_size=400))
def test_any_words_make_a_file_name(words):
    made = file_name(words, 3, ending=".png")
    assert safe_name(made, "picture", "here") == made
    assert len(made.encode()) < 130


def test_different_words_give_different_file_names():
    words = ["a/b", "a\\b", "a-b", "a b", "a:b", "x" * 300, "x" * 301, "A/b", "..", "."]
    assert len({file_name(word) for word in words} | {file_name("a-b")}) >= 9


def test_only_what_lies_inside_is_removed(tmp_path):
    owner, beside = tmp_path / "own", tmp_path / "beside"
    owner.mkdir()
    beside.mkdir()
    (beside / "kept").touch()
    (owner / "link").symlink_to(beside)
    for path in (owner, owner / "..", owner / "../beside", owner / "link/kept", beside):
        with pytest.raises(InputError):
            remove_inside(path, owner)
    remove_inside(owner / "link", owner)
    assert (beside / "kept").exists() and not list(owner.iterdir())


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / ("x" * 255)
    write_atomically(target, b"first")

    def fail(path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        write_atomically(target, fail)
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_appears_whole_and_replaces_only_when_told(tmp_path):
    target = tmp_path / "bear"
    with new_folder(target) as made:
        (made / "a").touch()
    with pytest.raises(FileExistsError), new_folder(target) as made:
        (made / "b").touch()
    assert [path.name for path in target.iterdir()] == ["a"]
    with new_folder(target, replaces=True) as made:
        (made / "c").touch()
    assert [path.name for path in target.iterdir()] == ["c"]
    assert list(tmp_path.iterdir()) == [target]


def test_what_killed_processes_left_is_removed(tmp_path):
    pid = os.fork()
    if pid == 0:
        part_path(tmp_path).mkdir()
        part_path(tmp_path).write_bytes(b"half")
        os._exit(0)
    os.waitpid(pid, 0)
    mine = part_path(tmp_path)
    mine.touch()
    (tmp_path / ".other.part").touch()
    assert remove_left_behind(tmp_path) == 2
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, ".other.part"}


def test_a_place_to_write_to_is_cleared_of_what_killed_processes_left(tmp_path):
    """And of nothing else."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f".s3fo-{host_id()}-{ended.pid}-0123456789ab.part").mkdir()
    mine = part_path(tmp_path)
    mine.write_text("being written")
    (tmp_path / "movie.part").write_text("somebody's")
    require_writable(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, "movie.part"}
