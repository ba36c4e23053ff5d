"""Evaluates one jupyterhub_config.py and writes what it set as JSON to a private file descriptor.

Run as: python -c <this text> FD PATH. Standard library only; traitlets and jupyterhub need not be installed.
The answer is one object: {"sections": {...}, "lines": {...}} or {"error": {...}}.
"""

import sys

# "python -c" puts the working directory first on the module path; a file called json.py there must not replace ours,
# and the jupyterhub command does not look for modules there either.
if sys.path and sys.path[0] == "":
    del sys.path[0]

import base64
import enum
import json
import os
import types

MARK = "__minihub_python__"
MAX_DEPTH = 60


class Change:
    """What c.Class.trait gives before it is set: records changes of the default."""

    def __init__(self):
        self.front, self.back, self.inserts, self.merged = [], [], [], None

    def append(self, item):
        self.back.append(item)

    def extend(self, items):
        self.back.extend(items)

    def prepend(self, items):
        self.front[:0] = list(items)

    def insert(self, index, item):
        if not isinstance(index, int):
            raise TypeError("insert needs an integer index")
        self.inserts.append((index, item))

    def update(self, other=(), **named):
        if self.merged is None:
            self.merged = {} if named or isinstance(other, dict) else set()
        self.merged.update(other)
        if named:
            self.merged.update(named)

    def add(self, item):
        self.update({item})

    def empty(self):
        return not (self.front or self.back or self.inserts) and self.merged is None

    def onto(self, base):
        """Apply the changes to a value, or join them with earlier changes."""
        if isinstance(base, Change):
            base.front[:0] = self.front
            base.back.extend(self.back)
            base.inserts.extend(self.inserts)
            if self.merged is not None:
                base.update(self.merged)
            return base
        if isinstance(base, list):
            whole = list(base)
            for index, item in self.inserts:
                whole.insert(index, item)
            return self.front + whole + self.back
        if isinstance(base, (dict, set)) and self.merged:
            whole = base.copy()
            whole.update(self.merged)
            return whole
        return base


def is_section(name):
    return isinstance(name, str) and name[:1].isupper()


class Tree(dict):
    """The object c: sections appear when they are named, traits of a section may be changed before they are set."""

    def __init__(self, *args, **named):
        dict.__init__(self, *args, **named)
        for key in list(self):
            if is_section(key) and isinstance(self[key], dict) and not isinstance(self[key], Tree):
                dict.__setitem__(self, key, Tree(self[key]))

    def __getitem__(self, key):
        try:
            return dict.__getitem__(self, key)
        except KeyError:
            if is_section(key):
                value = Tree()
            elif isinstance(key, str) and not key.startswith("_"):
                value = Change()
            else:
                raise
        dict.__setitem__(self, key, value)
        note_line(self, key)
        return value

    def __setitem__(self, key, value):
        if is_section(key) and not isinstance(value, Tree):
            if not isinstance(value, dict):
                raise ValueError("%s is a class: set its traits, as in c.%s.trait = value" % (key, key))
            value = Tree(value)
        dict.__setitem__(self, key, value)
        note_line(self, key)

    def __getattr__(self, key):
        if key.startswith("__"):
            raise AttributeError(key)
        try:
            return self[key]
        except KeyError as e:
            raise AttributeError(key) from e

    def __setattr__(self, key, value):
        self[key] = value

    def __delattr__(self, key):
        try:
            del self[key]
        except KeyError as e:
            raise AttributeError(key) from e

    def __contains__(self, key):
        if isinstance(key, str) and "." in key:
            first, rest = key.split(".", 1)
            return dict.__contains__(self, first) and rest in dict.__getitem__(self, first)
        return dict.__contains__(self, key)

    has_key = __contains__

    def _has_section(self, key):
        return is_section(key) and key in self

    def copy(self):
        return Tree(dict.copy(self))

    def merge(self, other):
        """Put another tree onto this one; the other one wins."""
        for key, value in dict(other).items():
            mine = dict.get(self, key)
            if is_section(key) and isinstance(value, dict) and isinstance(mine, Tree):
                mine.merge(value)
            elif isinstance(value, Change) and mine is not None:
                self[key] = value.onto(mine)
            else:
                self[key] = value


class State:
    """What one run of the evaluator knows: the files being read and where traits were set."""

    def __init__(self):
        self.files = set()
        self.lines = {}  # (id of section, trait) -> line


STATE = State()


def note_line(tree, key):
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename in STATE.files:
            STATE.lines[(id(tree), key)] = frame.f_lineno
            return
        frame = frame.f_back


def run_file(path, config):
    """Execute a file with the names that traitlets gives it."""
    full = os.path.abspath(path)
    STATE.files.add(full)

    def load_subconfig(fname, path=None):
        name = os.path.join(path if path is not None else os.path.dirname(full), fname)
        if os.path.splitext(name)[1] == "" and not os.path.exists(name):
            name += ".py"
        if not os.path.exists(name):
            return
        part = Tree()
        run_file(name, part)
        carry_lines(part, config)
        config.merge(part)

    names = {"c": config, "get_config": lambda: config, "load_subconfig": load_subconfig, "__file__": full}
    with open(full, "rb") as f:
        code = compile(f.read(), full, "exec")
    exec(code, names, names)


def carry_lines(part, config):
    """Traits of a sub-configuration are reported without a line: the line is one of another file."""
    for section in part.values():
        if isinstance(section, Tree):
            for key in section:
                STATE.lines.pop((id(section), key), None)


def encode(value, depth=0):
    if depth > MAX_DEPTH:
        raise ValueError("a value is nested too deeply, or contains itself")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, enum.Enum) and not isinstance(value, (int, str)):
        return encode(value.value, depth + 1)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            return {MARK: {"kind": "float", "repr": repr(number)}}
        return number
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return {MARK: {"kind": "bytes", "base64": base64.b64encode(bytes(value)).decode("ascii")}}
    if isinstance(value, os.PathLike):
        return encode(os.fspath(value), depth + 1)
    if isinstance(value, (set, frozenset)):
        return {MARK: {"kind": "set", "items": encode(ordered(value), depth + 1)}}
    if isinstance(value, (list, tuple)):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, (dict, types.MappingProxyType)):
        return encode_dict(value, depth)
    if isinstance(value, Change) or is_foreign_change(value):
        return encode_change(value, depth)
    return encode_object(value)


def ordered(members):
    """Sets have no order; the same file must give the same answer every time."""
    try:
        return sorted(members)
    except TypeError:
        return sorted(members, key=lambda m: (type(m).__name__, repr(m)))


def encode_dict(value, depth):
    if all(isinstance(k, str) for k in value) and MARK not in value:
        return {str(k): encode(v, depth + 1) for k, v in value.items()}
    pairs = [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in value.items()]
    return {MARK: {"kind": "dict", "items": pairs}}


def is_foreign_change(value):
    """A change made with the configuration object of traitlets itself."""
    return type(value).__name__ == "LazyConfigValue" and hasattr(value, "_extend")


def encode_change(value, depth):
    if is_foreign_change(value):
        parts = (value._prepend, value._extend, value._inserts, value._update)
    else:
        parts = (value.front, value.back, value.inserts, value.merged)
    front, back, inserts, merged = parts
    return {
        MARK: {
            "kind": "lazy",
            "prepend": encode(list(front), depth + 1),
            "extend": encode(list(back), depth + 1),
            "inserts": encode([list(pair) for pair in inserts], depth + 1),
            "update": encode(merged, depth + 1),
        }
    }


def encode_object(value):
    kind = "class" if isinstance(value, type) else "function" if callable(value) else "object"
    named = value if hasattr(value, "__qualname__") else type(value)
    module = getattr(named, "__module__", None) or ""
    qualname = getattr(named, "__qualname__", "")
    # "builtins" is what classes of the configuration file itself report: it has no module name
    if module and module != "builtins":
        qualname = module + "." + qualname
    code = getattr(value, "__code__", None)
    line = code.co_firstlineno if code else getattr(value, "__firstlineno__", None) or class_line(value)
    about = {"kind": kind, "qualname": qualname, "repr": safe_repr(value), "line": line or 0}
    if kind == "class":
        about["bases"] = ["%s.%s" % (b.__module__, b.__qualname__) for b in value.__mro__[1:]]
    return {MARK: about}


def class_line(value):
    """The line of a class's first method, where Python does not tell the line of the class."""
    if isinstance(value, type):
        for member in vars(value).values():
            code = getattr(member, "__code__", None)
            if code and code.co_filename in STATE.files:
                return code.co_firstlineno
    return 0


def safe_repr(value):
    try:
        return repr(value)[:200]
    except Exception:
        return "<%s>" % type(value).__name__


def collect(config):
    sections, lines = {}, {}
    for name, section in config.items():
        if not is_section(name):
            if isinstance(section, Change) and section.empty():
                continue
            raise ValueError("c.%s has no class: write c.Class.%s" % (name, name))
        out = {}
        for trait, value in section.items():
            if isinstance(value, Change) and value.empty():
                continue
            try:
                out[str(trait)] = encode(value)
            except ValueError as e:
                raise ValueError("c.%s.%s: %s" % (name, trait, e)) from None
            line = STATE.lines.get((id(section), trait))
            if line:
                lines["%s.%s" % (name, trait)] = line
        if out:
            sections[name] = out
    return {"sections": sections, "lines": lines}


def describe_error(error):
    """Type, message and place. Source lines are left out: they may hold secrets."""
    frames = []
    tb = error.__traceback__
    while tb is not None:
        frames.append((tb.tb_frame.f_code.co_filename, tb.tb_lineno, tb.tb_frame.f_code.co_name))
        tb = tb.tb_next
    own = [f for f in frames if f[0] in STATE.files]
    file, line = (own[-1][0], own[-1][1]) if own else ("", 0)
    message = str(error)
    if isinstance(error, SyntaxError):
        file, line, message = error.filename or file, error.lineno or line, error.msg or "invalid syntax"
    elif isinstance(error, SystemExit):
        message = "the file called exit(%s)" % ("" if error.code is None else error.code)
    # the first frames are the evaluator's own
    tail = ["%s:%d in %s" % f for f in frames if f[0] != "<string>"][-5:]
    return {"type": type(error).__name__, "message": message, "file": file, "line": line, "traceback": tail,
            "module": getattr(error, "name", None) or "" if isinstance(error, ImportError) else ""}


def main():
    fd, path = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(fd, False)
    sys.argv = ["jupyterhub", "-f", path]
    config = Tree()
    try:
        run_file(path, config)
        answer = collect(config)
    except (Exception, SystemExit, KeyboardInterrupt) as e:
        answer = {"error": describe_error(e)}
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    with os.fdopen(fd, "wb") as out:
        out.write(json.dumps(answer).encode("ascii"))
        out.flush()
    # threads that the file started must not keep the process alive
    os._exit(0)


if __name__ == "__main__":
    main()
