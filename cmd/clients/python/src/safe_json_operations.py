"""The functions of an older system of that name, over jtx.

The signatures are the same; what they promise is more: a change is whole and durable, none is
lost, and every version stays in the file's history (``jtx log FILE``, ``jtx restore FILE@REV``).
So ``backup`` makes no copy: there is one of each version. Failures raise ``jtx.JtxError``, and
never leave a part of a change behind.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Callable, Dict, Optional

import jtx
from jtx.files import MISSING, File, path

__all__ = ["safe_json_read", "safe_json_write", "safe_json_update", "SafeJSONLock"]

_held = threading.local()  # the locks of each thread, by file


def _lock_of(file: File) -> Optional["SafeJSONLock"]:
    return getattr(_held, "locks", {}).get(path(file))


def _retried(retries: int, work: Callable[[], Any]) -> Any:
    """Does work up to 1 + retries times, while the same work can succeed."""
    for attempt in range(retries + 1):
        try:
            return work()
        except jtx.JtxError as e:
            if not e.retryable or attempt >= retries:
                raise
            time.sleep(min(0.05 * 2 ** attempt, 1.0))


def safe_json_read(file: File, default: Any = None, retries: int = 10) -> Any:
    """The document in a file, or ``default`` where there is no file."""
    lock = _lock_of(file)
    if lock is not None:
        return lock.read(file, default=default)
    return _retried(retries, lambda: jtx.read(file, default=default))


def safe_json_write(file: File, data: Any, indent: Optional[int] = 2, retries: int = 10, backup: bool = True) -> bool:
    """Makes ``data`` the whole document, as ``json.dumps`` writes it. Directories are made."""
    os.makedirs(os.path.dirname(path(file)), exist_ok=True)
    lock = _lock_of(file)
    if lock is not None:
        lock.write(file, data, indent)
    else:
        _retried(retries, lambda: jtx.write(file, data, indent))
    return True


def safe_json_update(file: File, update_func: Callable[[Any], Any], default: Any = None, retries: int = 10, backup: bool = True) -> bool:
    """Replaces the document by what ``update_func`` makes of it; where that returns None, by
    its argument, as it left that. A file that is not there is ``default``, or {}."""
    start: Any = {} if default is None else default
    os.makedirs(os.path.dirname(path(file)), exist_ok=True)
    lock = _lock_of(file)
    if lock is not None:
        data = lock.read(file, default=start)
        made = update_func(data)
        lock.write(file, data if made is None else made)
    else:
        _retried(retries, lambda: jtx.update(file, update_func, default=start))
    return True


class SafeJSONLock:
    """Holds a file's lock while a block runs. The functions above use it in the same thread,
    and what they do is committed as a whole at its end, or forgotten where an exception
    leaves the block."""

    def __init__(self, file: File, timeout: float = 30) -> None:
        self._file, self._lock = path(file), jtx.Lock(file, timeout=timeout)

    def __enter__(self) -> "SafeJSONLock":
        if _lock_of(self._file) is not None:
            raise jtx.UsageError(f"{self._file} is locked by this thread already")
        self._lock.__enter__()
        if not hasattr(_held, "locks"):
            _held.locks = {}
        _held.locks[self._file] = self
        return self

    def __exit__(self, *error: Any) -> None:
        del _held.locks[self._file]
        self._lock.__exit__(*error)

    def read(self, file: Optional[File] = None, default: Any = MISSING) -> Any:
        """The document, with what was changed in the block."""
        return self._lock.read(file or self._file, default=default)

    def write(self, file: File, data: Any, indent: Optional[int] = None) -> None:
        """Makes data the whole document at the block's end."""
        self._lock.write(file, data, indent)
