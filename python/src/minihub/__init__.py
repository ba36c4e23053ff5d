"""minihub: a JupyterHub-compatible hub in one binary, and a client of its test mode.

``minihub.Hub`` starts a hub for tests, ``minihub.pytest_plugin`` has the fixtures, and ``python -m minihub`` is the binary.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import HubError, NotSupported
from .hub import Hub

__all__ = ["Hub", "HubError", "NotSupported", "binary"]


def binary() -> str:
    """The path of the minihub binary: MINIHUB_BIN, else the one in this package, else the one on PATH.

    Raises FileNotFoundError when there is none.
    """
    if given := os.environ.get("MINIHUB_BIN"):
        return given
    name = "minihub.exe" if os.name == "nt" else "minihub"
    packaged = Path(__file__).parent / "bin" / name
    if packaged.exists():
        return str(packaged)
    if found := shutil.which("minihub"):
        return found
    raise FileNotFoundError("there is no minihub binary: install a wheel for this platform, or set MINIHUB_BIN to the path of one")
