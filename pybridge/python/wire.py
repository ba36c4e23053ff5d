"""Frames, calls in both directions, and how errors and log records travel."""

import asyncio
import json
import logging
import os
import struct
import sys
import threading
import time

from . import evaluate

MAX_FRAME = 64 << 20


class Unfit(Exception):
    """The arguments or the result of a call cannot be used; the text says which and why."""


def places(error):
    """Where an exception came from: "file:line in function", without source lines, which may hold secrets."""
    chain, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return frames(chain, True) or frames(chain, False)


def frames(chain, skip_ours):
    out = []
    for error in reversed(chain):
        if out:
            out.append("then, while handling it, %s:" % type(error).__name__)
        tb = error.__traceback__
        while tb is not None:
            code = tb.tb_frame.f_code
            if not skip_ours or not code.co_filename.startswith("<minihub "):
                out.append("%s:%d in %s" % (code.co_filename, tb.tb_lineno, code.co_name))
            tb = tb.tb_next
    return out[-40:]


def speaks_http(error):
    """Whether an exception is an answer to the browser. Those of HTTP clients have a status_code too: that of somebody else's answer."""
    for module, name in (("tornado.web", "HTTPError"), ("jupyterhub.spawner", "SpawnException")):
        cls = getattr(sys.modules.get(module), name, None)
        if cls is not None and isinstance(error, cls):
            return True
    return False


def retry_after(headers):
    """The seconds of Retry-After in the headers that an exception brings, 0 without."""
    if not hasattr(headers, "items"):
        return 0
    for name, value in headers.items():
        if str(name).lower() == "retry-after":
            text = str(value).strip()
            return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return 0


def describe(error):
    """What the hub has to know about an exception."""
    about = {"type": type(error).__name__, "message": str(error), "traceback": places(error)}
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and speaks_http(error):
        about["status"] = status
        text = getattr(error, "log_message", None) or ""
        args = getattr(error, "args", None)
        try:
            about["message"] = text % args if text and args and "%" in text else text
        except (TypeError, ValueError):
            about["message"] = text
        own = getattr(error, "message", None)
        if isinstance(own, str) and own:
            about["public"] = own
        about["reason"] = getattr(error, "reason", None) or ""
        about["retry_after"] = retry_after(getattr(error, "headers", None))
    for name, key in (("jupyterhub_message", "public"), ("jupyterhub_html_message", "html"), ("message_html", "html")):
        text = getattr(error, name, None)
        if isinstance(text, str) and text:
            about[key] = text
    return about


class Stream:
    """Lets an operation send events before its result."""

    def __init__(self, channel, number):
        self.channel, self.number = channel, number

    def send(self, event):
        self.channel.send({"id": self.number, "event": evaluate.encode(event)})


class Channel:
    """One connection to the hub. Used on the loop's thread only, but for log records."""

    def __init__(self, sock, dispatch):
        self.sock, self.dispatch = sock, dispatch
        self.tasks, self.asked, self.count = {}, {}, 0
        self.loop = self.writer = self.thread = None
        self.current = None  # (operation, begin) while code of others runs on this thread

    async def serve(self):
        self.loop, self.thread = asyncio.get_running_loop(), threading.get_ident()
        reader, self.writer = await asyncio.open_connection(sock=self.sock, limit=1 << 20)
        try:
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                self.receive(json.loads(await reader.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the hub is gone

    def receive(self, frame):
        number = frame.get("id")
        if "op" in frame:
            task = self.loop.create_task(self.answer(number, frame))
            self.tasks[number] = task
            task.add_done_callback(lambda _: self.tasks.pop(number, None))
        elif "cancel" in frame:
            task = self.tasks.get(frame["cancel"])
            if task is not None:
                task.cancel()
        else:
            waiting = self.asked.pop(number, None)
            if waiting is not None and not waiting.done():
                if "error" in frame:
                    waiting.set_exception(RuntimeError(frame["error"]))
                else:
                    waiting.set_result(frame.get("result"))

    async def answer(self, number, frame):
        try:
            result = await self.dispatch(frame["op"], frame.get("args") or {}, Stream(self, number))
            data = pack({"id": number, "result": result if getattr(result, "encoded", False) else evaluate.encode(result)})
        except asyncio.CancelledError:
            data = pack({"id": number, "error": {"type": "Cancelled", "message": "cancelled", "traceback": []}})
        except (Exception, SystemExit, KeyboardInterrupt) as e:
            data = pack({"id": number, "error": describe(e)})
        self.write(data)

    def send(self, frame):
        self.write(pack(frame))

    def write(self, data):
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(data)

    async def ask(self, op, args):
        """Call the hub and wait for its answer."""
        self.count += 1
        number, waiting = self.count, self.loop.create_future()
        self.asked[number] = waiting
        self.send({"call": number, "op": op, "args": evaluate.encode(args)})
        return await waiting

    def log(self, level, name, message, lines):
        frame = {"log": {"level": level, "name": name, "message": message, "traceback": lines}}
        if self.loop is None or self.loop.is_closed():
            print(message, file=sys.stderr)
        elif threading.get_ident() == self.thread:
            self.send(frame)
        else:
            self.loop.call_soon_threadsafe(self.send, frame)


def pack(frame):
    data = json.dumps(frame, separators=(",", ":")).encode("utf-8", "surrogateescape")
    if len(data) > MAX_FRAME:
        data = json.dumps({"id": frame.get("id"), "error": {"type": "Unfit", "message": "the answer is too large", "traceback": []}}).encode()
    return struct.pack(">I", len(data)) + data


def decode(value):
    """Undo the marks that the hub puts on what JSON cannot hold."""
    import base64

    if isinstance(value, dict):
        if len(value) == 1 and "__minihub_bytes__" in value:
            return base64.b64decode(value["__minihub_bytes__"])
        return {k: decode(v) for k, v in value.items()}
    if isinstance(value, list):
        return [decode(v) for v in value]
    return value


class Records(logging.Handler):
    """Python's log records go to the hub's log."""

    def __init__(self, channel):
        super().__init__()
        self.channel = channel

    def emit(self, record):
        try:
            lines = places(record.exc_info[1]) if record.exc_info and record.exc_info[1] is not None else []
            message = record.getMessage()
            if lines:
                message += " (%s: %s)" % (type(record.exc_info[1]).__name__, record.exc_info[1])
            self.channel.log(record.levelno, record.name, message, lines)
        except Exception:
            self.handleError(record)


def watch(loop, seconds=5.0):
    """Tell, on stderr, what keeps the loop's thread busy: then no other call goes on."""
    state = {"seen": time.monotonic(), "told": False}
    thread = threading.get_ident()

    def beat():
        state["seen"], state["told"] = time.monotonic(), False
        loop.call_later(seconds / 5, beat)

    def guard():
        while True:
            time.sleep(seconds / 2)
            late = time.monotonic() - state["seen"]
            if late < seconds or state["told"]:
                continue
            state["told"] = True
            frame = sys._current_frames().get(thread)
            where = []
            while frame is not None and len(where) < 6:
                name = frame.f_code.co_filename
                if not name.startswith("<minihub "):
                    where.append("%s:%d in %s" % (name, frame.f_lineno, frame.f_code.co_name))
                frame = frame.f_back
            sys.stderr.write("code of the configuration blocks all other calls for %.0f s: make it async or run it in a thread; it is at %s\n"
                             % (late, " < ".join(where)))
            sys.stderr.flush()

    loop.call_soon(beat)
    threading.Thread(target=guard, name="minihub-watch", daemon=True).start()


def leave():
    """End at once: threads of plug-ins must not keep a child without a hub alive."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os._exit(0)
