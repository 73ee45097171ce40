"""Any program as a method: frames and first masks in a folder, masks out."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.label_map import join_objects, write_label_map
from evaluation.masks.open import open_results
from evaluation.masks.pictures import write_picture
from evaluation.masks.sequence import FileSequence, MaskSequence
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.running.reader import read_frames, read_image
from s3fo.inference.weights import file_hash

PLACEHOLDERS: Mapping[str, str] = {
    "frames": "folder of the video's frames, links to the originals",
    "masks": "folder of its first masks, one palette PNG per frame in which objects "
    "first appear, with only these objects",
    "out": "folder to write <frame>.png into",
    "video": "name of the video",
    "objects": "ids of the objects, as 1,2,5",
    "device": "one of --device",
    "frames_root": "the folder above {frames}",
    "masks_root": "the folder above {masks}",
    "out_root": "the folder above {out}",
    "video_list": "text file with the name of the video",
}
"""What a command may contain in braces, and what stands there when it runs."""

_TAIL = 20
_LONGEST_LINE = 300
_JPEG_QUALITY = 100


class CommandMethod:
    """A program that segments one video per call.

    For every video a scratch folder is made with links to its frames, from the first
    one with an object on, and the *first* mask of every object; no other annotation.
    The program's output is read as any results folder is (label maps, or one folder
    per object, where the smaller object lies on top), checked, and written as label
    maps. Earlier frames come out empty.

    Args:
        command: the program and its arguments, without a shell; `PLACEHOLDERS` in
            braces, of which ``{out}`` or ``{out_root}`` must be one. Double braces
            stand for braces.
        name: what to call the method in records.
        device: what ``{device}`` stands for. Several, separated by commas, make as
            many videos run at the same time, each with one of them: ``"cuda:0,cuda:1"``
            or ``"cpu,cpu"``; ``"auto"`` is CUDA where there is one. A command without
            ``{device}`` sees only its GPU, by CUDA_VISIBLE_DEVICES.
        timeout: seconds that one video may take; None for no limit.
        jpeg: give all frames as JPEG files of quality 100, for programs that read
            nothing else; JPEG files are linked as they are.
        keep_scratch: keep the scratch folder of a video that fails.

    Raises:
        InputError: the command is empty or has an unknown or no needed placeholder,
            or the program is not there.

    Example:
        >>> CommandMethod("python run.py {frames} {masks} {out}").settings["command"]
        'python run.py {frames} {masks} {out}'
    """

    def __init__(
        self,
        *,
        command: str,
        name: str = "command",
        device: str = "auto",
        timeout: float | None = None,
        jpeg: bool = False,
        keep_scratch: bool = False,
    ) -> None:
        self._words = _split(command)
        self._timeout = _checked_timeout(timeout)
        self._jpeg, self._keep_scratch = jpeg, keep_scratch
        devices = [part.strip() for part in device.split(",") if part.strip()]
        devices = [_find_device(one) for one in devices or ["auto"]]
        self._devices: SimpleQueue[str] = SimpleQueue()
        for one in devices:
            self._devices.put(one)
        self._running: set[subprocess.Popen[bytes]] = set()
        self.parallel = len(devices)
        self.name = name
        self.device = ", ".join(devices)
        self.settings: Mapping[str, Any] = {
            "command": command,
            "files": _hashes(self._words),
            "jpeg": jpeg,
        }

    def segment(
        self, sequence: VideoSequence, frames: Sequence[str], folder: Path
    ) -> None:
        """Run the program on one video.

        Args:
            sequence: the video.
            frames: names of the frames that are wanted.
            folder: where ``<frame>.png`` of each wanted frame is written.

        Raises:
            InputError: the program fails, takes too long, or leaves no or wrong masks.
        """
        device = self._devices.get()
        try:
            with self._scratch(sequence.name) as scratch:
                first = next(iter(sequence.prompt_frames()))
                shown = sequence.frames[sequence.frames.index(first) :]
                shape = _write_frames(
                    sequence, shown, scratch / "JPEGImages" / sequence.name, self._jpeg
                )
                _write_first_masks(sequence, scratch / "Annotations" / sequence.name)
                self._run(sequence, scratch, device)
                _collect(sequence, scratch / "results", frames, shown, shape, folder)
        finally:
            self._devices.put(device)

    def stop(self) -> None:
        """End the programs that run."""
        for process in list(self._running):
            _end(process)

    @contextmanager
    def _scratch(self, video: str) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=f"s3fo-{video[:40]}-"))
        kept = False
        try:
            yield folder
        except InputError as error:
            if not self._keep_scratch:
                raise
            kept = True
            raise InputError(
                error.where,
                error.found,
                error.expected,
                f"{error.remedy} The scratch folder is kept: {folder}",
            ) from error
        finally:
            if not kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _run(self, sequence: VideoSequence, scratch: Path, device: str) -> None:
        values = _values(sequence, scratch, device)
        Path(values["out"]).mkdir(parents=True)
        words = [word.format(**values) for word in self._words]
        log = scratch / "output.txt"
        with log.open("wb") as output:
            process = _start(words, output, self._environment(device), sequence.name)
            self._running.add(process)
            try:
                code = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                raise InputError(
                    f"{sequence.name}: {shlex.join(words)}",
                    f"a program still running after {self._timeout:g} s{_tail(log)}",
                    "a program that ends within the time limit",
                    "Raise the time limit (timeout), or make the program faster.",
                ) from None
            finally:
                _end(process)
                self._running.discard(process)
        if code:
            raise InputError(
                f"{sequence.name}: {shlex.join(words)}",
                f"{_exit(code)}{_tail(log)}",
                "exit code 0",
                "Correct what its last lines say, and run the command again.",
            )

    def _environment(self, device: str) -> dict[str, str]:
        environment = dict(os.environ)
        kind, _, number = device.partition(":")
        named = any("{device}" in word for word in self._words)
        if kind == "cuda" and number and not named:
            environment["CUDA_VISIBLE_DEVICES"] = number
        return environment


def _find_device(name: str) -> str:
    """The device of a name; ``"auto"`` is CUDA where PyTorch here sees it."""
    if name != "auto":
        return name
    try:
        import torch
    except ImportError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"


def _split(command: str) -> list[str]:
    """The words of a command, checked."""
    try:
        words = shlex.split(command)
        names = [
            name for word in words for _, name, *_ in string.Formatter().parse(word)
        ]
    except ValueError as error:
        raise InputError(
            "command",
            f"{command!r} ({error})",
            "words with quotes and braces that are closed",
            "Close them; double braces stand for braces.",
        ) from error
    unknown = sorted({name for name in names if name is not None} - PLACEHOLDERS.keys())
    if unknown:
        raise InputError(
            "command",
            _in_braces(unknown),
            f"some of {_in_braces(PLACEHOLDERS)}",
            "Correct the placeholder; write {{ and }} for braces.",
        )
    if not words or not {"out", "out_root"} & set(names):
        raise InputError(
            "command",
            repr(command),
            "a program with {out}, e.g. python run.py {frames} {masks} {out}",
            "Say by {out} where it shall write its masks.",
        )
    if shutil.which(words[0]) is None:
        raise InputError(
            "command",
            f"no program {words[0]}",
            "a program on the PATH, or the path of one",
            "Install it or give its whole path.",
        )
    return words


def _in_braces(names: Iterable[str]) -> str:
    return ", ".join("{" + name + "}" for name in names)


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise InputError(
            "timeout", repr(timeout), "seconds", "Pass a number of seconds above 0."
        )
    if not 0 < timeout < float("inf"):
        raise InputError(
            "timeout", f"{timeout}", "more than 0 seconds", "Leave it out for no limit."
        )
    return float(timeout)


def _hashes(words: Sequence[str]) -> dict[str, str]:
    """SHA-256 of the files that a command names: scripts, settings, weights."""
    return {word: file_hash(Path(word)) for word in words[1:] if Path(word).is_file()}


def _values(sequence: VideoSequence, scratch: Path, device: str) -> dict[str, str]:
    """What the placeholders stand for."""
    listed = scratch / "videos.txt"
    listed.write_text(sequence.name + "\n")
    roots = {
        "frames": scratch / "JPEGImages",
        "masks": scratch / "Annotations",
        "out": scratch / "results",
    }
    folders = {name: str(root / sequence.name) for name, root in roots.items()}
    return {
        **folders,
        **{f"{name}_root": str(root) for name, root in roots.items()},
        "video": sequence.name,
        "objects": ",".join(map(str, sequence.object_ids)),
        "device": device,
        "video_list": str(listed),
    }


def _write_frames(
    sequence: VideoSequence, shown: Sequence[str], folder: Path, jpeg: bool
) -> tuple[int, int]:
    """Link or write the frames; returns their height and width."""
    folder.mkdir(parents=True)
    suffixes = {path.suffix.lower() for path in sequence.images.values()}
    if sequence.images and (not jpeg or suffixes <= {".jpg", ".jpeg"}):
        for frame in shown:
            source = sequence.images[frame].resolve()
            _link(source, folder / f"{frame}{source.suffix}")
        height, width = read_image(sequence.images[shown[0]]).shape[:2]
        return height, width
    wanted, shape = frozenset(shown), (0, 0)
    for frame, image in read_frames(sequence):
        shape = (image.shape[0], image.shape[1])
        if frame in wanted:
            path = folder / f"{frame}{'.jpg' if jpeg else '.png'}"
            write_picture(path, image[..., ::-1], _JPEG_QUALITY)
    return shape


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _write_first_masks(sequence: VideoSequence, folder: Path) -> None:
    for frame in sequence.prompt_frames():
        write_label_map(folder / f"{frame}.png", sequence.read_prompt(frame))


_WITH_PARENT = (
    "import ctypes, os, signal, sys; "
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)
"""Runs a program that ends when this process does, even if it is killed (prctl(2),
PR_SET_PDEATHSIG); in a process of its own, as none may be set up after a fork where
there are threads."""


def _start(
    words: Sequence[str], output: Any, environment: Mapping[str, str], video: str
) -> subprocess.Popen[bytes]:
    guard = [sys.executable, "-S", "-c", _WITH_PARENT, str(os.getpid())]
    try:
        # In a session of its own, so that its own processes end with it.
        return subprocess.Popen(
            [*guard, *words] if sys.platform == "linux" else list(words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            f"{video}: {shlex.join(words)}",
            f"a program that cannot be started ({error.strerror})",
            "an executable program",
            "Make it executable, or name its interpreter first.",
        ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _exit(code: int) -> str:
    if code < 0:
        return f"a program ended by signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _tail(log: Path) -> str:
    """The last lines of a program's output, for an error."""
    with log.open(errors="replace") as lines:
        last = [line.rstrip()[:_LONGEST_LINE] for line in deque(lines, _TAIL)]
    text = "\n    ".join(line for line in last if line)
    return f"; its last lines were:\n    {text}" if text else "; it printed nothing"


def _collect(
    sequence: VideoSequence,
    root: Path,
    wanted: Sequence[str],
    shown: Sequence[str],
    shape: tuple[int, int],
    folder: Path,
) -> None:
    """Read what a program wrote, check it, and write it as label maps."""
    masks = _open(sequence, root)
    segmented = frozenset(shown)
    missing = [f for f in wanted if f in segmented and f not in set(masks.frames)]
    if missing:
        raise InputError(
            f"{sequence.name}, output of the command",
            f"no masks of {len(missing)} frames ({', '.join(missing[:5])})",
            f"one PNG for each of the {len(shown)} frames, named as they are",
            "Let the program write all of them into {out}.",
        )
    for frame in wanted:
        if frame in segmented:
            label_map = _read(masks, frame, sequence, shape)
        else:
            label_map = np.zeros(shape, np.uint8)
        write_label_map(folder / f"{frame}.png", label_map)


def _open(sequence: VideoSequence, root: Path) -> MaskSequence:
    """The output, wherever below ``{out}`` or ``{out_root}`` it lies."""
    own, name = root / sequence.name, sequence.name
    inside = [path.name for path in own.iterdir()] if own.is_dir() else []
    is_object = name.isdecimal() and int(name) in sequence.object_ids
    if inside == [name] and not is_object:
        root = own  # it took {out} for the folder of all videos
    truth = sequence.object_masks or FileSequence(name, dict(sequence.annotations))
    found, _ = open_results(root, {name: truth})
    return found[name]


def _read(
    masks: MaskSequence, frame: str, sequence: VideoSequence, shape: tuple[int, int]
) -> np.ndarray:
    """Label map [H, W] of one frame.

    Raises:
        InputError: another size, or ids that no first mask has.
    """
    content = masks.read(frame)
    if isinstance(content, dict):
        larger_first = sorted(content, key=lambda key: -int(content[key].sum()))
        content = join_objects({key: content[key] for key in larger_first})
    label_map = np.asarray(content)
    if sequence.binary:
        label_map = (label_map > 0).astype(np.uint8)
    if label_map.shape != shape:
        raise InputError(
            masks.where(frame),
            f"a mask of {label_map.shape[1]}x{label_map.shape[0]} pixels",
            f"{shape[1]}x{shape[0]}, as the frames",
            "Let the program write masks at the size of the frames.",
        )
    found = np.unique(label_map).tolist()
    unknown = sorted(set(found) - {0, *sequence.object_ids})
    if unknown:
        raise InputError(
            masks.where(frame),
            f"ids {_list_ids(unknown[:5])}",
            f"0 and the ids of the first masks, {_list_ids(sequence.object_ids)}",
            "Let the program write the ids that the masks in {masks} have.",
        )
    return label_map


def _list_ids(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))
