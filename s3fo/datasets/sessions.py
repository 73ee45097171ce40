"""The Python side of a running App."""

from s3fo.datasets._fiftyone.sessions import end_servers, let_session_speak

__all__ = ["end_servers", "let_session_speak"]
