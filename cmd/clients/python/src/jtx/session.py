"""One ``jtx session``: a child process that does many operations."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import re
import select
import subprocess
import sys
import threading
import time
import uuid
from typing import Any, Dict, List, Optional, Sequence

from .errors import Lost, NoBinary, from_answer

PROTOCOL = 1
MAX_LINE = 256 << 20  # of an answer, in bytes
GRACE = 5.0  # seconds that a session may take beyond a request's time limit
ATTEMPTS = 10  # processes that may die over one request

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def binary() -> str:
    """The jtx to run: ``$JTX``, the one in this package, or the one in PATH."""
    named = os.environ.get("JTX")
    if named:
        return named
    name = "jtx.exe" if sys.platform == "win32" else "jtx"
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", name)
    if os.path.isfile(beside):
        return beside
    for directory in os.get_exec_path():
        found = os.path.join(directory, name)
        if os.path.isabs(directory) and os.path.isfile(found) and os.access(found, os.X_OK) and not _wraps(found):
            return found
    raise NoBinary("jtx is neither in $JTX, nor in this package, nor in PATH",
                   hint="go install github.com/jtx-project/jtx/cmd/jtx@latest")


def _wraps(file: str) -> bool:
    """Tells whether a file is a script such as that of this package, or of the one for Node:
    to run it would come back here, again and again."""
    try:
        with open(file, "rb") as f:
            return re.match(rb"#!.*(node|python|pyenv)", f.read(1024), re.DOTALL) is not None
    except OSError:
        return False  # what can't be read can be a program


class _Child:
    """A running process. Of the threads that wait for answers one reads for all."""

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        except OSError as e:
            raise NoBinary(f"{command[0]} can't be run: {e}") from e
        assert self.process.stdin is not None and self.process.stdout is not None
        self.input, self.output = self.process.stdin.fileno(), self.process.stdout.fileno()
        self.writing = threading.Lock()
        self.state = threading.Condition()
        self.reading = False
        self.dead = False
        self.buffer = bytearray()
        self.answers: Dict[int, Dict[str, Any]] = {}
        self.forgotten: Dict[int, str] = {}
        hello = json.loads(self._line(time.monotonic() + 30) or b"{}")
        if hello.get("session") != PROTOCOL:
            self.kill()
            raise NoBinary(f"{command[0]} speaks protocol {hello.get('session')}, and this client {PROTOCOL}")

    def send(self, request: Dict[str, Any]) -> None:
        data = memoryview((_encode(request) + "\n").encode("utf-8"))
        try:
            with self.writing:
                while data:
                    if self.dead:
                        raise _Gone()
                    data = data[os.write(self.input, data):]
        except OSError:
            self._died()
            raise _Gone() from None

    def wait(self, number: int, deadline: Optional[float]) -> Dict[str, Any]:
        """The answer to a request, which this thread or another one reads."""
        while True:
            with self.state:
                while number not in self.answers and self.reading and not self.dead:
                    if not self.state.wait(_left(deadline)):
                        raise TimeoutError
                if number in self.answers:
                    return self.answers.pop(number)
                if self.dead:
                    raise _Gone()
                self.reading = True
            line: Optional[bytes] = None
            try:
                line = self._line(deadline)
            finally:
                with self.state:
                    self.reading = False
                    if line is not None:
                        self._deliver(line)
                    if self.dead:
                        self._release()
                    self.state.notify_all()
                    answer = self.answers.pop(number, None)
            if answer is not None:
                return answer

    def forget(self, number: int, do: str) -> None:
        """Nobody waits for the answer any more."""
        with self.state:
            if self.answers.pop(number, None) is None:
                self.forgotten[number] = do

    def _deliver(self, line: bytes) -> None:
        if not line:
            self.dead = True
            return
        answer = json.loads(line.decode("utf-8"))
        number = answer.get("id")
        if self.forgotten and number in self.forgotten:
            if self.forgotten.pop(number) == "begin" and "result" in answer:
                self.send({"id": -number, "do": "abort", "tx": answer["result"]["tx"]})
                self.forgotten[-number] = "abort"
            return
        self.answers[number] = answer

    def _line(self, deadline: Optional[float]) -> bytes:
        """The next line; an empty one where there is none any more."""
        while True:
            end = self.buffer.find(b"\n")
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[:end + 1]
                return line
            if len(self.buffer) > MAX_LINE:
                self.kill()
                return b""
            if deadline is not None and not select.select([self.output], [], [], _left(deadline))[0]:
                raise TimeoutError
            try:
                part = os.read(self.output, 1 << 16)  # as much as a pipe holds
            except OSError:
                part = b""
            if not part:
                return b""
            if not self.buffer and part.find(b"\n") == len(part) - 1:
                return part
            self.buffer += part

    def _died(self) -> None:
        with self.state:
            self.dead = True
            self._release()
            self.state.notify_all()

    def _release(self) -> None:
        """Closes what is left of a dead process, unless a thread still reads of it."""
        if self.dead and not self.reading:
            self.process.stdout.close()  # type: ignore[union-attr]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        with self.writing:
            self.process.stdin.close()  # type: ignore[union-attr]
        self._died()

    def close(self) -> None:
        """Lets the process end by itself: what it was asked for is done."""
        self.process.stdin.close()  # type: ignore[union-attr]
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._died()


class _Gone(Exception):
    """The process has died."""


def _left(deadline: Optional[float]) -> Optional[float]:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class Session:
    """A store of JSON files, behind a process that is started when it is first needed, and
    again when it has died. It may be used by many threads."""

    def __init__(self, command: Optional[Sequence[str]] = None) -> None:
        self._command = command
        self._child: Optional[_Child] = None
        self._starting = threading.Lock()
        self._numbers = itertools.count(1)

    def child(self) -> _Child:
        with self._starting:
            if self._child is None or self._child.dead:
                if self._child is not None:
                    self._child.kill()
                self._child = _Child(self._command or [binary(), "session", "-q"])
            return self._child

    def close(self) -> None:
        with self._starting:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def once(self, child: _Child, do: str, timeout: Optional[float], members: Dict[str, Any]) -> Any:
        """Asks one process. Raises _Gone where that dies before it answers."""
        number = next(self._numbers)
        request = {"id": number, "do": do, **members}
        deadline = None
        if timeout is not None:
            request["timeout_ms"] = max(1, int(timeout * 1000))
            deadline = time.monotonic() + timeout + GRACE
        child.send(request)
        try:
            answer = child.wait(number, deadline)
        except TimeoutError:
            child.kill()  # it does not even say that the time is over
            raise _Gone() from None
        except BaseException:
            child.forget(number, do)
            if not child.dead:
                child.send({"id": -number, "do": "cancel", "cancel": number})
                child.forget(-number, "cancel")
            raise
        if "error" in answer:
            raise from_answer(answer["error"])
        return answer["result"]

    def ask(self, do: str, timeout: Optional[float] = None, **members: Any) -> Any:
        """Asks for what may be asked again: it changes nothing."""
        for _ in range(ATTEMPTS):
            try:
                return self.once(self.child(), do, timeout, members)
            except _Gone:
                continue
        raise Lost(f"jtx died {ATTEMPTS} times over one request", retryable=True)

    def change(self, changes: List[Dict[str, Any]], timeout: Optional[float] = None, **members: Any) -> Any:
        """Changes files as one transaction, once: where the answer is lost, it is asked for."""
        request = uuid.uuid4().hex
        files = sorted({c["file"] for c in changes})
        for _ in range(ATTEMPTS):
            try:
                return self.once(self.child(), "change", timeout, {"changes": changes, "request": request, **members})
            except _Gone:
                committed = self.outcome(request, files)
                if committed is not None:
                    return committed
        raise Lost(f"jtx died {ATTEMPTS} times over one request; nothing was changed", retryable=True)

    def outcome(self, request: str, files: Sequence[str]) -> Optional[Dict[str, Any]]:
        """What became of a request whose answer was lost; None where it is not committed."""
        found = self.ask("outcome", request=request, files=list(files))
        return found["transaction"] if found["committed"] else None


_shared: Optional[Session] = None
_sharing = threading.Lock()


def shared() -> Session:
    """The session of this process."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = Session()
        return _shared


def _after_fork() -> None:
    """The parent's process is not ours: its pipes are closed here, so that it ends with
    the parent."""
    global _shared, _sharing
    _sharing = threading.Lock()
    session, _shared = _shared, None
    if session is not None and session._child is not None:
        child = session._child.process
        child.stdin.close()  # type: ignore[union-attr]
        child.stdout.close()  # type: ignore[union-attr]
        child.returncode = 0  # not ours to wait for


def _at_exit() -> None:
    if _shared is not None:
        _shared.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
