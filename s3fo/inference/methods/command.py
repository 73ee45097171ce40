"""Any program as a method: frames and first masks in a folder, masks out."""

from __future__ import annotations

import os
import shlex
import shutil
import string
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from evaluation.errors import InputError
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.methods.exchange import (
    collect_masks,
    write_first_masks,
    write_frames,
)
from s3fo.inference.methods.programs import (
    describe_exit,
    end_program,
    last_lines,
    start_program,
)
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
                shape = write_frames(
                    sequence, shown, scratch / "JPEGImages" / sequence.name, self._jpeg
                )
                write_first_masks(sequence, scratch / "Annotations" / sequence.name)
                self._run(sequence, scratch, device)
                collect_masks(
                    sequence, scratch / "results", frames, shown, shape, folder
                )
        finally:
            self._devices.put(device)

    def stop(self) -> None:
        """End the programs that run."""
        for process in list(self._running):
            end_program(process)

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
            process = start_program(
                words, output, self._environment(device), sequence.name
            )
            self._running.add(process)
            try:
                code = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                raise InputError(
                    f"{sequence.name}: {shlex.join(words)}",
                    f"a program still running after {self._timeout:g} s"
                    f"{last_lines(log)}",
                    "a program that ends within the time limit",
                    "Raise the time limit (timeout), or make the program faster.",
                ) from None
            finally:
                end_program(process)
                self._running.discard(process)
        if code:
            raise InputError(
                f"{sequence.name}: {shlex.join(words)}",
                f"{describe_exit(code)}{last_lines(log)}",
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
