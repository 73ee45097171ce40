"""Benchmarks and their licences, from the catalog."""

from __future__ import annotations

from s3fo.benchmarks.catalog import ENTRIES, Entry, names, splits

LICENCES = "<!-- licences of all benchmarks -->"
"""Where a page wants the table of `licences`."""

_HEAD = """# Benchmarks

What `s3fo benchmarks show NAME` tells of each, made from the catalog. Benchmarks have
[licences of their own](../licences.md), and some want you to sign.
`s3fo benchmarks download NAME --to FOLDER` fetches what its host gives to everybody, or
says what to fetch by hand; `s3fo load NAME --root FOLDER --validate` compares a folder
with what is listed here.
"""


def benchmarks() -> str:
    """The page: facts of every benchmark, counts of every split."""
    return "\n".join([_HEAD, *(_section(name) for name in names())])


def licences() -> str:
    """Table of benchmarks with their licences and where they come from."""
    lines = ["| benchmark | licence of the data | from |", "|---|---|---|"]
    for name in names():
        entry = _first(name)
        lines.append(f"| {entry.title} | {entry.licence} | {_link(entry.download)} |")
    return "\n".join(lines)


def _first(name: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.name == name)


def _section(name: str) -> str:
    entry = _first(name)
    facts = {
        "annotated": entry.annotation,
        "layout": f"`{entry.layout}`",
        "protocol": f"[{entry.protocol}](protocols.md#{entry.protocol})",
        "download": _link(entry.download),
        "unpack": entry.unpack,
        "licence": entry.licence,
        "cite": entry.citation,
    }
    lines = [f"## {entry.title} {{ #{name} }}", "", f"`{name}`: {entry.about}", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {fact} | {words} |" for fact, words in facts.items()]
    lines += ["", *_splits(name), ""]
    lines += [f"- {remark}" for remark in entry.remarks]
    lines += [f"- {words}" for words in _submissions(name)]
    return "\n".join(lines) + "\n"


def _splits(name: str) -> list[str]:
    lines = [
        "| split | sequences | objects | frames | ground truth |",
        "|---|---:|---:|---:|---|",
    ]
    for split in splits(name):
        entry = next(e for e in ENTRIES if (e.name, e.split) == (name, split))
        counts = (entry.counts.sequences, entry.counts.objects, entry.counts.frames)
        shown = " | ".join("?" if n is None else str(n) for n in counts)
        truth = "public" if entry.public else "on a server"
        lines.append(f"| {split} | {shown} | {truth} |")
    return lines


def _submissions(name: str) -> list[str]:
    """What each server wants, with the splits that it scores."""
    wanted: dict[str, list[str]] = {}
    for entry in ENTRIES:
        form = entry.submission
        if entry.name == name and form:
            remark = f" ({form.remark})" if form.remark else ""
            files, content = form.layout.split(", ", 1)
            words = f"`{files}`, {content}, zipped, to {_link(form.server)}{remark}"
            wanted.setdefault(words, []).append(entry.split)
    return [f"Submit {', '.join(where)}: {words}" for words, where in wanted.items()]


def _link(text: str) -> str:
    """A web address as a link; other words as they are."""
    return f"<{text}>" if text.startswith("http") and " " not in text else text
