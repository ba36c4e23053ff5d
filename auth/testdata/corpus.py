"""Writes the recorded answers of JupyterHub 6.1.1 that auth's tests compare with.

Run: python testdata/corpus.py > testdata/corpus.json   (with a Python that has jupyterhub and cryptography)
"""
import asyncio
import base64
import json
import logging

from cryptography.fernet import Fernet
from jupyterhub.auth import Authenticator, DummyAuthenticator

logging.disable(logging.CRITICAL)

lower = ["Alice", "ADMIN", "\u0130van", "\u0391\u03a3", "\u03a3\u0391\u03a3", "Kelvin\u212a", "\u1e9e", "\u13f8\u13f0", "\u2167", "\u0130\u0131Ii", "A\u0301", "STRASSE"]
base = Authenticator()

names = ["alice", "", ".", "..", "...", "%2e%2e", "%2E.", "a/b", " x", "x ", "a b", "a@b", "\u00fc", "a%2fb", "a.b", ".a", "-x", "\u65e5\u672c", "a\u00a0", "%", "%zz"]

patterns = [
    ("[a-z]+", ["abc", "1abc", "abc1", ""]),
    ("^[a-z]{,3}$", ["abc", "abcd", "x"]),
    (r"\w+$", ["\u00fcber", "a_1", "a-b", "\u0663"]),
    (r"[\w.-]+@corp\.test$", ["\u00fc.a-b@corp.test", "x@corp.test.evil", "@corp.test"]),
    (r"\d{3}\Z", ["123", "1234", "\u0661\u0662\u0663"]),
    (r"a|b", ["a", "bx", "xa"]),
    (r"[]x]+$", ["]", "x]x", "y"]),
    (r"[^]x]+$", ["]", "yy", "x"]),
    (r"[[a]+$", ["[", "a[", "b"]),
    (r"(?i)ADMIN", ["admin", "user"]),
    (r"\D+$", ["ab", "a1"]),
    (r"\W$", ["-", "a", "\u00fc"]),
    (r"\S+$", ["ab", "a\u00a0b", "a b"]),
    (r"[\s\w]+$", ["a\u00a0\u00fc", "a-b"]),
    (r"a{,b}$", ["a{,b}", "a"]),
    (r"\\\u00fc+$".replace("\\u00fc", "\u00fc"), ["x"]),
    ("\\\u00fc+$", ["\u00fc\u00fc", "u"]),
    (r"\\w", ["\\w", "w"]),
]


def rules_case(allowed, blocked, admins, allow_all, existing, users, cls=Authenticator):
    kwargs = dict(allowed_users=set(allowed), blocked_users=set(blocked), admin_users=set(admins))
    if allow_all is not None:
        kwargs["allow_all"] = allow_all
    if existing is not None:
        kwargs["allow_existing_users"] = existing
    a = (DummyAuthenticator if cls == "dummy" else Authenticator)(**kwargs)
    if a.allowed_users and a.admin_users:
        a.allowed_users |= a.admin_users

    class U:
        pass

    for n in users:
        u = U()
        u.name = n
        a.add_user(u)

    async def authenticate(handler, data):
        return data["username"]

    a.authenticate = authenticate
    out = {}
    for n in ["Alice", "bob", "carol", "root", "eve"]:
        m = asyncio.run(a.get_authenticated_user(None, {"username": n, "password": "x"}))
        out[n] = None if m is None else {"name": m["name"], "admin": m["admin"]}
    return dict(allowed=list(allowed), blocked=list(blocked), admins=list(admins), allow_all=allow_all, existing=existing,
                users=list(users), cls=cls, want=out)


rules = []
for cls in ["base", "dummy"]:
    for allowed in [[], ["alice"]]:
        for admins in [[], ["root"]]:
            for blocked in [[], ["eve", "alice"]]:
                for allow_all in [None, True, False]:
                    for existing in [None, True, False]:
                        rules.append(rules_case(allowed, blocked, admins, allow_all, existing, ["bob"], cls))

values = [{"a": 1}, {"token": "\u00fc\"\\, :", "n": [1, 2.5, None, True], "big": 2**60}, [], "text", 0, {"nested": {"x": {}}}]
key = bytes(range(32))
fernet = Fernet(base64.urlsafe_b64encode(key))
tokens = [{"json": v, "token": fernet.encrypt(json.dumps(v).encode()).decode()} for v in values]


def matches(pattern, name):
    a = Authenticator(username_pattern=pattern)
    return bool(a.username_regex.match(name))


print(json.dumps({
    "lower": [[n, base.normalize_username(n)] for n in lower],
    "names": [[n, base.validate_username(n)] for n in names],
    "patterns": [[p, n, matches(p, n)] for p, ns in patterns for n in ns],
    "rules": rules,
    "fernet": {"key": key.hex(), "tokens": tokens},
}, indent=None, separators=(",", ":")).replace('{"allowed"', '\n{"allowed"'))
