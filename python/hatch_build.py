"""Puts the binary into the wheel and gives the wheel the platform that the binary is for."""

import os
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BinaryHook(BuildHookInterface):
    """Reads MINIHUB_BINARY (path of the binary) and MINIHUB_PLATFORM (platform tag, such as manylinux2014_x86_64)."""

    def initialize(self, version: str, build_data: dict) -> None:
        binary, platform = os.environ.get("MINIHUB_BINARY"), os.environ.get("MINIHUB_PLATFORM")
        if not binary or not platform:
            raise RuntimeError("set MINIHUB_BINARY and MINIHUB_PLATFORM, or run scripts/wheels.sh, which does")
        name = "minihub.exe" if platform.startswith("win") else "minihub"
        build_data["force_include"][str(Path(binary).resolve())] = f"minihub/bin/{name}"
        build_data["force_include"][str(Path(self.root).parent / "LICENSE")] = "minihub/LICENSE"  # which asks to be with every copy
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
