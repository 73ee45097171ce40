"""A web server on this machine that sends ranges, breaks off and changes its files."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Host:
    """What the server sends, and what it was asked for.

    Attributes:
        address: ``http://127.0.0.1:port/``.
        files: content by name.
        breaks: after how many bytes the next answers break off, in order.
        named: whether editions have a name (ETag).
        ranges: the ``Range`` of every request; None for a whole file.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    named: bool = True
    ranges: list[str | None] = field(default_factory=list)


@contextmanager
def serve() -> Iterator[Host]:
    """Serve `Host.files` until the block ends."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, host)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.address = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, host: Host) -> None:
    wanted = request.headers.get("Range")
    host.ranges.append(wanted)
    data = host.files.get(request.path.lstrip("/"))
    if data is None:
        request.send_error(404)
        return
    edition = f'"{hashlib.md5(data).hexdigest()}"'
    same = request.headers.get("If-Range", edition) == edition
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and same else 0
    request.send_response(206 if start else 200)
    if start:
        span = f"bytes {start}-{len(data) - 1}/{len(data)}"
        request.send_header("Content-Range", span)
    if host.named:
        request.send_header("ETag", edition)
    request.send_header("Content-Length", str(len(data) - start))
    request.end_headers()
    body = data[start:]
    with suppress(ConnectionError):  # Who asks may hang up.
        request.wfile.write(body[: host.breaks.pop(0)] if host.breaks else body)
