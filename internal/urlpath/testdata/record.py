"""Records what the real jupyterhub package answers, for the tests of internal/urlpath.

Run with the reference environment: /work/ref/venv/bin/python record.py > corpus.json
"""
import itertools
import json
import random
import sys
from types import SimpleNamespace
from urllib.parse import quote, urlparse

from jupyterhub import slugs, utils
from jupyterhub._version import __version__
from jupyterhub.handlers.base import BaseHandler

rnd = random.Random(6)

NAMES = [
    "", "a", "alice", "Alice", "a b", " a", "a@b.example", "ü", "日本", "é", "e\u0301", "ß", "ﬁ", "½", "%", "a%2Fb", "a/b",
    "..", ".", "%2e%2e", "~x", "a_b", "x_y", "a--b", "a-b", "-a", "a-", "1", "1234", "1a", "a1", "a+b", "a&b=c;d", "😀",
    "jester@mighty.nein", "laudna", "a" * 30, "a" * 31, "a" * 63, "a" * 64, "é" * 40, "·", "l·l", "͵α", "א׳", "׳", "・", "カ・",
    "٠", "ا٠", "ا۰", "ا٠۰", "שלום", "aא", "Ünï", "ÄÖ", "xn--a", "faß", "ς", "a.b", "a。b", "☃", "ʼn", "ǆ", "İ", "K", "Å", "x" * 255,
    "Ⅷ", "²", "a²", "日本語テスト", "пользователь", "χρήστης", "사용자", "ผู้ใช้", "a\u200db", "क्\u200dष", "a\u00adb", "a\u0000b",
    "*", "'", "(x)", "a:b", "a,b", "$", "!", "My Server", "my  server", "Server #1", "-- x --", "9 lives", "____", "Ünïcödé Sërvér",
    "name\u00a0nbsp", "tab\there", "\u202eevil", "a\u0301\u0302", "\u0301", "\ue000", "\ufeffx", "Ω", "ﷺ", "a" * 256, "é" * 255,
    "long display name that goes on and on", "a-very-long-name-that-is-cut-at-", "x" * 20 + "-" + "y" * 20, "1" * 40,
]
ALPHABET = "ab1-_.@~%/ Zéß日א·٠+&;=?#\\😀\u0301"
for _ in range(400):
    NAMES.append("".join(rnd.choice(ALPHABET) for _ in range(rnd.randint(1, 12))))
for _ in range(200):
    NAMES.append("".join(rnd.choice("abz09-") for _ in range(rnd.randint(1, 36))))

PIECES = ["", "/", "a", "/a", "a/", "/a/", "//", "//a//", "a//b", " "]

HOST = "hub.example.org:8000"
NEXT = [
    "", "/", "foo", "/foo", "/hub/home", "/hub/home?a=b#c", "/user/a%40b/lab?x=%2F%2F", "//", "///", "////", "/\\", "\\", "\\\\evil.com",
    "//evil.com", "///evil.com", "////evil.com/x", "/\\evil.com", "\\/evil.com", "/\\/evil.com", "\\\\\\evil.com", "/%5Cevil.com",
    "http://evil.com", "https://evil.com/", "HTTP://evil.com", "http:evil.com", "http:/evil.com", "http:///evil.com", "http:\\\\evil.com",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "mailto:a@b", "ftp://evil.com/x",
    f"http://{HOST}", f"http://{HOST}/", f"http://{HOST}/x", f"http://{HOST}//evil.com/", f"http://{HOST}///evil.com", f"http://{HOST}/\\evil.com",
    f"http://{HOST}.evil.com/", f"http://{HOST}@evil.com/", f"http://evil.com@{HOST}/", f"http://{HOST}:80/", f"http://{HOST}evil.com", f"http://{HOST}?x",
    f"http://{HOST}#x", f"https://{HOST}/x", f"//{HOST}/x?y=1#z", f"//{HOST}", f"//{HOST}//evil.com", f"///{HOST}//evil.com", f"////{HOST}/x", f"//{HOST}\\@evil.com/",
    f"http://HUB.example.org:8000/x", "http://hub.example.org/x", f"http://{HOST}/a;b/c;d?e;f#g;h", f"http://{HOST}/?", f"http://{HOST}/#", f"//{HOST}/;x",
    "http://u.sub.example.org/x", "http://sub.example.org//evil.com", "//u.sub.example.org//evil.com/", "https://a.b.sub.example.org:443/x", "http://sub.example.org:9/x",
    "http://evilsub.example.org/x", "http://sub.example.org.evil.com/", "http://x@sub.example.org/x", "javascript://sub.example.org/%0aalert(1)", "//.sub.example.org/x",
    "foo://sub.example.org/x", "http://evil.com/.sub.example.org", "http://evil.com\\.sub.example.org/x", "http://evil.com#.sub.example.org", "http://evil.com?.sub.example.org",
    "/foo?next=http://evil.com", "/foo?next=//evil.com", "/@evil.com", "//@evil.com", "/;@evil.com", "/.evil.com", "/..//evil.com", "/.//evil.com", "/%2F/evil.com",
    "/%2f%2fevil.com", "/%0a/evil.com", "?x", "#x", ";x", ".", "..", "../x", "./x", " /x", "/ x", "/x ", "　//evil.com", "//google%E3%80%82com", "/〱evil.com", "〱evil.com",
    "//[::1]/", "//[::1", "http://[::1]/", "http://[/", "/x]", "/[x", "//evil.com:80", "//user:pw@evil.com", "/hub/home\"><img src=x>", "/<script>", "/'x", "/user-redirect/a b",
    "//1.1.1.1", "//0x7f.1", "//evil。com", "////evil.com@hub.example.org:8000/", "/https://evil.com", "/http:evil.com", "https:///evil.com", "https:evil.com", "//\\evil.com",
    "/x?y#//evil.com", "://evil.com", ":evil", "1http://evil.com", "+a://sub.example.org/x", "a+b://evil.com", "http://", "http:", "//?x", "//#x", "/?//evil.com",
]


def record_next(value, sub):
    logged = SimpleNamespace(warning=lambda *a: None)
    handler = SimpleNamespace(
        settings={"public_url": urlparse(f"http://{HOST}/")}, subdomain_host=sub, log=logged, request=None
    )
    try:
        return BaseHandler._validate_next_url(handler, value)
    except ValueError:
        return ""


def try_slug(name, **kw):
    return slugs.safe_slug(name, **kw) if name else None


out = {
    "version": __version__,
    "names": [
        {
            "name": n,
            "escape": utils.url_escape_path(n),
            "client": quote(n),
            "valid_server": slugs.is_valid_safe_slug(n),
            "slug": try_slug(n, avoid_collisions=False),
            "hashed": try_slug(n),
            "display": slugs.is_valid_display_name(slugs.normalise_unicode(n)),
            "nfc": slugs.normalise_unicode(n),
            "idna": utils.subdomain_hook_idna(n, "d", "user"),
            "idna_service": utils.subdomain_hook_idna(n, "d", "service"),
            "legacy": utils.subdomain_hook_legacy(n, "d", "user"),
            "legacy_service": utils.subdomain_hook_legacy(n, "d", "service"),
        }
        for n in dict.fromkeys(NAMES)
    ],
    "join": [
        {"parts": p, "want": utils.url_path_join(*p)}
        for p in ([list(x) for k in range(4) for x in itertools.product(PIECES, repeat=k)])
    ],
    "next": [
        {"next": n, "plain": record_next(n, ""), "sub": record_next(n, "http://sub.example.org")} for n in NEXT
    ],
}
json.dump(out, sys.stdout, ensure_ascii=True, separators=(",", ":"))
