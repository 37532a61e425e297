"""Runs the jtx of this package, as if it had been called itself."""

import os
import subprocess
import sys

from .errors import NoBinary
from .session import binary


def main() -> None:
    try:
        command = [binary(), *sys.argv[1:]]
    except NoBinary as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(2)
    if sys.platform == "win32":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
