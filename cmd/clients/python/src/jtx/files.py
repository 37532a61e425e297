"""Reading and changing files."""

from __future__ import annotations

import copy
import json
import os
import uuid
from types import TracebackType
from typing import Any, Callable, Dict, List, Optional, Type, Union

from .errors import Conflict, JtxError, Lost, NotFound, UsageError
from .session import ATTEMPTS, _Child, _Gone, shared

File = Union[str, "os.PathLike[str]"]


class _Missing:
    """No default is given."""

    def __deepcopy__(self, memo: Dict[int, Any]) -> "_Missing":
        return self


MISSING = _Missing()


def path(file: File) -> str:
    """The name by which a session knows a file, wherever that was started."""
    return os.path.abspath(os.fspath(file))


def read(file: File, pointer: str = "", default: Any = MISSING, at: Optional[str] = None, timeout: Optional[float] = None) -> Any:
    """The value at a pointer, of the whole file by default, or ``default`` where there is
    none; ``at`` is an old version. ``timeout`` is in seconds. Raises NotFound, Damaged."""
    members: Dict[str, Any] = {"files": [path(file)], "pointer": pointer}
    if at is not None:
        members["at"] = at
    try:
        state = shared().ask("read", timeout, **members)["files"][0]
    except NotFound:
        if default is MISSING:
            raise
        return default
    return _value_of(state, file, default)


def _value_of(state: Dict[str, Any], file: File, default: Any) -> Any:
    if state["exists"]:
        return state["value"]
    if default is MISSING:
        raise NotFound(f"{os.fspath(file)}: no such file", os.fspath(file))
    return default


def write(file: File, data: Any, indent: Optional[int] = None, message: str = "", timeout: Optional[float] = None) -> None:
    """Makes data the whole document. With ``indent`` its text is as json.dumps makes it;
    without, what stays the same keeps its bytes."""
    if indent is None:
        change = {"file": path(file), "value": data}
    else:
        change = {"file": path(file), "text": text(data, indent)}
    shared().change([change], timeout, message=message)


def text(data: Any, indent: Optional[int]) -> str:
    return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def update(file: File, fn: Callable[[Any], Any], default: Any = MISSING, message: str = "", timeout: Optional[float] = None) -> Any:
    """Replaces the document by what ``fn`` makes of it, while nobody else can change it, and
    returns that. Where ``fn`` returns None, the value that it was given counts, as it left
    it. A file that is not there is ``default``. ``fn`` is called again where another program
    has saved the file without asking, or jtx was killed."""
    for attempt in range(ATTEMPTS):
        tx = Transaction([file], message=message, timeout=timeout)
        try:
            with tx:
                old = _value_of(tx._values.pop(path(file)), file, copy.deepcopy(default))
                new = fn(old)
                if new is None:
                    new = old
                tx._stage(file, value=new)  # sent at once: neither is copied
            return new
        except (Lost, Conflict) as e:
            if not e.retryable or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def transaction(*files: File, message: str = "", timeout: Optional[float] = None, ttl: Optional[float] = None) -> "Transaction":
    """A transaction over files, as a context manager: committed as a whole at the end, or
    forgotten where an exception leaves the block. ``timeout`` bounds the wait for locks,
    ``ttl`` how long they are held, both in seconds."""
    return Transaction(list(files), message=message, timeout=timeout, ttl=ttl)


class Transaction:
    """Files that nobody else can change until it ends."""

    def __init__(self, files: List[File], message: str = "", timeout: Optional[float] = None, ttl: Optional[float] = None) -> None:
        if not files:
            raise UsageError("a transaction over no files")
        self._files = [path(f) for f in files]
        self._message, self._timeout, self._ttl = message, timeout, ttl
        self._request = ""
        self._child: Optional[_Child] = None
        self._id = ""
        self._values: Dict[str, Dict[str, Any]] = {}
        self._staged: List[Dict[str, Any]] = []  # and not sent yet

    def __enter__(self) -> "Transaction":
        session = shared()
        members: Dict[str, Any] = {"files": self._files, "message": self._message}
        if self._ttl is not None:
            members["ttl_ms"] = max(1, int(self._ttl * 1000))
        for _ in range(ATTEMPTS):
            self._request = members["request"] = uuid.uuid4().hex
            child = session.child()
            try:
                begun = session.once(child, "begin", self._timeout, members)
            except _Gone:
                continue
            self._child, self._id = child, begun["tx"]
            self._values = dict(zip(self._files, begun["files"]))
            return self
        raise Lost(f"jtx died {ATTEMPTS} times over one request; nothing was changed", retryable=True)

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if not self._id:
            return
        if kind is None:
            self._commit()
            return
        try:
            self._ask("abort", {})
        except (JtxError, _Gone):
            pass  # it is gone already; what matters is the exception that ends the block
        finally:
            self._id = ""

    def _commit(self) -> None:
        try:
            self._ask("commit", {"changes": self._staged} if self._staged else {})
        except _Gone:
            if shared().outcome(self._request, self._files) is None:
                raise Lost("jtx died; nothing was changed", retryable=True) from None
        finally:
            self._id = ""

    def _ask(self, do: str, members: Dict[str, Any]) -> Any:
        if not self._id or self._child is None:
            raise UsageError("the transaction is not open")
        return shared().once(self._child, do, None, {"tx": self._id, **members})

    def _flush(self) -> None:
        """Sends what is staged, so that it is seen."""
        if not self._staged:
            return
        staged, self._staged = self._staged, []
        try:
            self._ask("change", {"changes": staged})
        except _Gone:
            raise Lost("jtx died; nothing was changed", retryable=True) from None

    def read(self, file: File, pointer: str = "", default: Any = MISSING) -> Any:
        """As jtx.read, with what the transaction has changed."""
        name = path(file)
        try:
            if pointer or self._staged or name not in self._values:
                self._flush()
                state = self._ask("read", {"files": [name], "pointer": pointer})["files"][0]
            else:
                state = self._values[name]
        except NotFound:
            if default is MISSING:
                raise
            return default
        except _Gone:
            raise Lost("jtx died; nothing was changed", retryable=True) from None
        return copy.deepcopy(_value_of(state, file, default))

    def _stage(self, file: File, **change: Any) -> None:
        if not self._id:
            raise UsageError("the transaction is not open")
        name = path(file)
        self._values.pop(name, None)
        self._staged.append({"file": name, **change})

    def write(self, file: File, data: Any, indent: Optional[int] = None) -> None:
        """As jtx.write."""
        if indent is None:
            self._stage(file, value=copy.deepcopy(data))
        else:
            self._stage(file, text=text(data, indent))

    def set(self, file: File, pointer: str, value: Any) -> None:
        """Sets the value at a pointer. Missing parents are made."""
        self._stage(file, set={pointer: copy.deepcopy(value)})

    def delete(self, file: File, *pointers: str) -> None:
        """Removes values."""
        self._stage(file, delete=list(pointers))

    def merge(self, file: File, patch: Any) -> None:
        """Applies an RFC 7386 merge patch."""
        self._stage(file, merge=copy.deepcopy(patch))

    def patch(self, file: File, operations: List[Dict[str, Any]]) -> None:
        """Applies an RFC 6902 patch."""
        self._stage(file, patch=copy.deepcopy(operations))


class Lock(Transaction):
    """Files that are locked while a block runs. What the block does through the lock is
    committed at its end; what it saves in other ways is an edit that jtx records."""

    def __init__(self, *files: File, timeout: Optional[float] = None, ttl: Optional[float] = None) -> None:
        super().__init__(list(files), timeout=timeout, ttl=ttl)
