"""The console script ``minihub``: the binary in place of this process."""

from __future__ import annotations

import os
import subprocess
import sys

from . import binary


def main() -> None:
    path = binary()
    if os.name == "nt":  # no exec there
        sys.exit(subprocess.call([path, *sys.argv[1:]]))
    os.execv(path, ["minihub", *sys.argv[1:]])


if __name__ == "__main__":
    main()
