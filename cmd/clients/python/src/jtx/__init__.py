"""Transactions over plain JSON files, by ``jtx``.

    import jtx

    jtx.write("config.json", {"n": 1})
    jtx.update("config.json", lambda c: {**c, "n": c["n"] + 1})
    with jtx.transaction("a.json", "b.json") as tx:
        n = tx.read("a.json", "/n")
        tx.set("a.json", "/n", n - 1)
        tx.set("b.json", "/n", tx.read("b.json", "/n") + 1)

Names are relative to the current directory. Nothing needs to be set up.
"""

from __future__ import annotations


from .errors import (Conflict, Damaged, InDoubt, Invalid, IOFailure, JtxError, Locked, Lost, NoBinary, NotFound,
                     UsageError)
from .files import Lock, Transaction, read, transaction, update, write
from .session import Session, binary

__version__ = "0.1.0"
__all__ = ["read", "write", "update", "transaction", "Transaction", "Lock", "Session", "binary", "JtxError", "NotFound",
           "UsageError", "Conflict", "Locked", "Invalid", "Damaged", "IOFailure", "InDoubt", "Lost", "NoBinary"]
