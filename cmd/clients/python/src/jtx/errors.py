"""What can go wrong, by the codes of jtx."""

from __future__ import annotations

from typing import Any, Dict, Optional


class JtxError(Exception):
    """An error of jtx. ``retryable`` tells whether the same work, begun again, can succeed."""

    code = "error"

    def __init__(self, message: str, file: Optional[str] = None, pointer: Optional[str] = None,
                 hint: Optional[str] = None, retryable: bool = False) -> None:
        super().__init__(message if not hint else f"{message} ({hint})")
        self.message, self.file, self.pointer, self.hint, self.retryable = message, file, pointer, hint, retryable


class NotFound(JtxError):
    """There is nothing at a pointer, or no such file."""
    code = "no"


class UsageError(JtxError):
    """The request makes no sense."""
    code = "usage"


class Conflict(JtxError):
    """A race was lost, a test failed, or a revision is not the expected one; nothing was changed."""
    code = "conflict"


class Locked(JtxError):
    """The wait for a lock, or a time limit, ran out; nothing was changed."""
    code = "locked"


class Invalid(JtxError):
    """Not JSON, not a patch, not a pointer; nothing was changed."""
    code = "invalid"


class Damaged(JtxError):
    """A file or its journal is damaged; nothing was discarded."""
    code = "damaged"


class IOFailure(JtxError):
    """Disk full, no permission, read-only; nothing was changed."""
    code = "io"


class InDoubt(JtxError):
    """The change may or may not be committed; ``jtx recover`` decides."""
    code = "in-doubt"


class Lost(JtxError):
    """The jtx process died, and what it was asked for is not committed."""
    code = "lost"


class NoBinary(JtxError):
    """There is no jtx to run."""
    code = "no-binary"


_BY_CODE = {c.code: c for c in (NotFound, UsageError, Conflict, Locked, Invalid, Damaged, IOFailure, InDoubt)}


def from_answer(error: Dict[str, Any]) -> JtxError:
    """The exception for an error that a session answers."""
    kind = _BY_CODE.get(error.get("code", ""), JtxError)
    return kind(error.get("message", "failed"), error.get("file"), error.get("pointer"), error.get("hint"),
                bool(error.get("retryable")))
