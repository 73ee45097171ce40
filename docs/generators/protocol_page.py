"""The protocol reference, read out from the `ScoringProtocol` entries."""

from __future__ import annotations

from evaluation.protocols import PROTOCOLS, ScoringProtocol

_HEAD = """# Protocols

A protocol is the set of rules under which a benchmark's numbers are made: which frames
and objects count, what void pixels mean, which boundary measure, how it is averaged.
The same masks score differently under different protocols, so every score is printed
with its own. This page is made from the entries in `evaluation/protocols.py`; `s3fo
protocols NAME` prints one.

Where our numbers differ from the official tools on purpose, and what is not known, is
on [a page of its own](../protocols-differences.md).
"""


def protocols() -> str:
    """The page: an overview of all, then each one's rules in words."""
    parts = [_HEAD, _overview(), *(_section(p) for p in PROTOCOLS.values())]
    return "\n".join(parts)


def _overview() -> str:
    rules = list(next(iter(PROTOCOLS.values())).rules())
    lines = [f"| protocol | {' | '.join(rules)} |", "|---" * (len(rules) + 1) + "|"]
    for protocol in PROTOCOLS.values():
        keys = " | ".join(getattr(protocol, rule) for rule in rules)
        lines.append(f"| [{protocol.name}](#{protocol.name}) | {keys} |")
    return "\n".join(lines) + "\n"


def _section(protocol: ScoringProtocol) -> str:
    lines = [f"## {protocol.title} {{ #{protocol.name} }}", "", f"`{protocol.name}`"]
    lines[-1] += f", after {protocol.source}."
    lines += ["", "| rule | | in words |", "|---|---|---|"]
    for rule, words in protocol.rules().items():
        lines.append(f"| {rule} | {getattr(protocol, rule)} | {words} |")
    if protocol.remark:
        lines += ["", f"Remark: {protocol.remark}."]
    return "\n".join(lines) + "\n"
