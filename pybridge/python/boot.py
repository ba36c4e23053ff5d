"""Starts the bridge: reads the modules of the bridge from a socket and runs them.

Run as: python -c <this text> FD. The first frame on the socket is {"modules": [[name, text], ...], ...}.
"""

import sys

if sys.path and sys.path[0] == "":
    del sys.path[0]

import json
import linecache
import os
import socket
import struct
import types

PACKAGE = "minihub_bridge"


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data


def install(modules):
    package = types.ModuleType(PACKAGE)
    package.__path__ = []
    sys.modules[PACKAGE] = package
    for name, source in modules:
        full, file = PACKAGE + "." + name, "<minihub %s.py>" % name
        module = types.ModuleType(full)
        module.__package__, module.__file__ = PACKAGE, file
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        sys.modules[full] = module
        setattr(package, name, module)
        exec(compile(source, file, "exec"), module.__dict__)
    return package


def start():
    fd = int(sys.argv[1])
    os.set_inheritable(fd, False)
    sock = socket.socket(fileno=fd)
    (size,) = struct.unpack(">I", read_exactly(sock, 4))
    hello = json.loads(read_exactly(sock, size))
    sys.argv = ["jupyterhub"] + (["-f", hello["path"]] if hello.get("path") else [])
    install(hello["modules"]).main.run(sock)


start()
