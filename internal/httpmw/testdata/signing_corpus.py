"""Records what JupyterHub 6.1.1 and Tornado do with signed cookies and XSRF tokens, for the tests of package httpmw.

Run: python testdata/signing_corpus.py > testdata/signing_corpus.json
With the argument "verify" it reads cookies made by minihub from standard input (JSON) and says what Tornado makes of them.
"""
import base64
import datetime
import hashlib
import itertools
import json
import logging
import re
import sys
from types import SimpleNamespace as NS
from unittest import mock

from jupyterhub import _xsrf_utils as xu
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from tornado import httputil, web

logging.disable(logging.CRITICAL)
SECRET = bytes(range(32))
NOW = 1700000000
LOGIN = "jupyterhub-hub-login"
ID = "0123456789abcdef0123456789abcdef"
DAY = 86400


def sign(name, value, ts=NOW, version=2, secret=SECRET):
    return web.create_signed_value(secret, name, value, version=version, clock=lambda: ts).decode()


def decode(name, signed, days, min_version):
    v = web.decode_signed_value(SECRET, name, signed, max_age_days=days, clock=lambda: NOW, min_version=min_version)
    return None if v is None else v.decode("utf8", "replace")


def verify_cases():
    good = sign(LOGIN, ID)
    v1 = sign(LOGIN, ID, version=1)
    rows = [(LOGIN, good), (LOGIN, v1), ("_xsrf", good), (LOGIN, sign("_xsrf", ID)), (LOGIN, sign(LOGIN, ID, secret=b"other"))]
    rows += [(LOGIN, sign(LOGIN, ID, ts=NOW - int(d * DAY), version=v)) for d in (13.99, 14.01, 40) for v in (1, 2)]
    rows += [(LOGIN, sign(LOGIN, ID, ts=NOW + 40 * DAY, version=1))]
    rows += [(LOGIN, s) for s in ("", "2", "2|", "2||||", "1|2|3", "3|1:0|", good[:-1], good + "0", good.upper(), good.replace("1:0", "1:1"),
                                  good.replace("|20:", "|21:"), good.replace("|44:", "|4:"), "2|" + good, v1 + "|", v1.replace("|", "||", 1), '"' + good + '"')]
    rows += [(LOGIN, sign(LOGIN, v)) for v in ("", "x", "ü日", "a|b:c;d\"e", "x" * 300)]
    b64, ts, sig = v1.split("|")
    rows += [(LOGIN, b64[:-1] + "|" + b64[-1] + ts + "|" + sig), (LOGIN, f"{b64}{ts[0]}|{ts[1:]}|{sig}")]
    return [[n, s, decode(n, s, 14, 1), decode(n, s, 14, 2)] for n, s in rows]


class Hub(BaseHandler):
    """A handler whose hub is a few values."""

    opts = None
    hub = property(lambda self: NS(cookie_name=self.opts["cookie_name"], base_url=self.opts["hub_prefix"]))
    base_url = property(lambda self: self.opts["base_url"])
    log = logging.getLogger("x")
    domain = property(lambda self: self.opts["domain"])
    subdomain_host = property(lambda self: "https://" + self.opts["domain"] if self.opts["domain"] else "")
    current_user = None

    def get_current_user_cookie(self):
        return None

    def set_default_headers(self):
        pass

    def create_signed_value(self, name, value, version=None):
        return web.create_signed_value(SECRET, name, value, clock=lambda: NOW)


def handler(cls=Hub, opts=None, settings=None, method="GET", uri="/", headers=None, protocol="http", body=b""):
    app = web.Application([], cookie_secret=SECRET, **(settings or {}))
    h = httputil.HTTPHeaders()
    for k, v in (headers or {}).items():
        h[k] = v
    conn = mock.Mock()
    conn.context = NS(protocol=protocol, remote_ip="192.0.2.1")
    req = httputil.HTTPServerRequest(method=method, uri=uri, headers=h, connection=conn, host="hub.test", body=body)
    req.protocol = protocol
    req.remote_ip = "192.0.2.1"
    self = cls(app, req)
    self.opts = opts or dict(cookie_name=LOGIN, hub_prefix="/hub/", base_url="/", domain="")
    return self


def lines(self):
    out = []
    for morsel in self._new_cookie.values():
        line = morsel.OutputString(None)

        def shift(m):
            at = datetime.datetime.strptime(m[1], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.timezone.utc)
            days = round((at - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / DAY * 4) / 4
            return "expires=" + httputil.format_timestamp(NOW + days * DAY)

        if "2033" not in line:
            line = re.sub(r"expires=([^;]*)", shift, line)
        out.append(line)
    return out


def set_cookie_cases():
    rows = []
    layouts = [dict(cookie_name=LOGIN, hub_prefix="/hub/", base_url="/", domain=""),
               dict(cookie_name=LOGIN, hub_prefix="/a%20b/hub/", base_url="/a%20b/", domain="hub.test"),
               dict(cookie_name="__Host-" + LOGIN, hub_prefix="/hub/", base_url="/", domain="")]
    options = [{}, {"SameSite": "Lax", "Secure": True}, {"expires_days": 1, "samesite": "None", "secure": True},
               {"expires_days": None}, {"expires": 2000000000, "httponly": False}, {"max_age": 60, "path": "/elsewhere"}]
    for opts, cookie_options, xsrf, proto, public in itertools.product(
            layouts, options, [{}, {"samesite": "Strict", "expires_days": 2}], ["http", "https"], [None, "https"]):
        if opts["cookie_name"].startswith("__Host-") and (xsrf or public):
            continue
        # as app.py: xsrf_cookie_kwargs defaults to cookie_options, and its path is forced
        xsrf_kwargs = dict(xsrf or cookie_options)
        xsrf_kwargs["path"] = opts["hub_prefix"]
        settings = dict(cookie_options=cookie_options, xsrf_cookie_kwargs=xsrf_kwargs)
        if public:
            settings["public_url"] = NS(scheme=public)

        def run(act, headers=None):
            self = handler(opts=opts, settings=settings, protocol=proto, headers=headers)
            self._session_id = "5e5510"
            act(self)
            return lines(self)

        token = xu._create_signed_value_urlsafe(handler(), "_xsrf", "sid:uid")
        rows.append(dict(
            layout=dict(opts, host=opts["cookie_name"].startswith("__Host-")), options=cookie_options, xsrf=xsrf, proto=proto, public=public,
            login=run(lambda h: h.set_hub_cookie(NS(name="x", cookie_id=ID, cookie_name=None))),
            session=run(lambda h: h.set_session_cookie()),
            xsrf_user=run(lambda h: xu._set_xsrf_cookie(h, b"sid:uid", authenticated=True, xsrf_token=token)),
            xsrf_anonymous=run(lambda h: xu._set_xsrf_cookie(h, b"sid:uid", authenticated=False, xsrf_token=token)),
            clear=run(lambda h: h.clear_login_cookie()),
        ))
    return rows


def header_cases():
    raw = ['a=1; b=2', 'a="x y"; b="\\"q\\\\\\054"', 'novalue; a=', '=x', ';;; ', 'a=1; a=2', 'a="unclosed', 'a = 1 ;b= "2" ', 'a=b=c', 'a="\\101\\400"', 'a="\\"',
           LOGIN + '="' + sign(LOGIN, ID) + '"', LOGIN + '=' + sign(LOGIN, ID), 'a=""']
    return [[h, httputil.parse_cookie(h)] for h in raw]


def xsrf_token(id, ts=NOW):
    return base64.urlsafe_b64encode(sign("_xsrf", id, ts).encode()).rstrip(b"=").decode()


def xsrf_cookie_cases():
    a, b, old = xsrf_token("sid:" + ID), xsrf_token("None:anon"), xsrf_token("old", NOW - 32 * DAY)
    bad = a[:-2] + "AA"
    rows = [f"_xsrf={a}", f'_xsrf="{a}"', f"_xsrf={bad}; _xsrf={a}", f"_xsrf={a}; _xsrf={b}", f"_xsrf={b}; _xsrf={a}", f"_xsrf={old}; x=1; _xsrf={b}",
            f"_xsrf={sign('_xsrf', 'sid')}", "_xsrf=", "", f"xsrf={a}", f"_xsrf ={a}", f"_xsrf={a}==", "_xsrf=\u00fc; _xsrf=" + b]
    out = []
    real = web.decode_signed_value
    for row in rows:
        with mock.patch.object(web, "decode_signed_value", lambda *args, **kw: real(*args, clock=lambda: NOW, **kw)):
            token, id = xu._get_xsrf_token_cookie(handler(headers={"Cookie": row}))
        out.append([row, token.decode() if token else "", id.decode() if id else ""])
    return out


def anonymous_cases():
    rows = []
    ua = {"User-Agent": "Mozilla/5.0 \u00fc", "X-A": "1", "X-B": ""}
    for cidrs, names, ip in itertools.product(["", "10.0.0.0/8;192.0.2.1", "2001:db8::/32", "10.0.0.0/255.0.0.0"], [None, "", "X-A;X-B;X-C", "user-agent"],
                                              ["192.0.2.1", "10.1.2.3", "10.9.9.9", "2001:db8::5", "::ffff:10.1.2.3", "unix", ""]):
        from ipaddress import ip_network
        h = handler(headers=ua)
        h.request.remote_ip = ip
        with mock.patch.object(xu, "_anonymous_ip_cidrs", [ip_network(c) for c in cidrs.split(";")] if cidrs else []), \
                mock.patch.object(xu, "_anonymous_id_headers", ("User-Agent" if names is None else names).split(";")):
            rows.append([cidrs, names, ip, xu._anonymous_xsrf_id(h)])
    return rows


METHODS = ["GET", "HEAD", "OPTIONS", "POST", "DELETE"]
MODES = ["", "navigate", "cors", "no-cors", "websocket", "same-origin"]
SITES = ["", "same-origin", "cross-site"]
GIVEN = ["none", "arg", "header", "csrf-header", "wrong", "wrong-arg-right-header", "empty-arg-right-header"]


def decisions():
    """One character per combination: "-" unchecked, "+" passed, "m" argument missing, "x" mismatch."""
    good = xsrf_token("sid:" + ID)
    out = []
    texts = set()
    for api, method, mode, site, origin, token_auth, user, given in itertools.product(
            [False, True], METHODS, MODES, SITES, [False, True], [False, True], [False, True], GIVEN):
        headers = {"Cookie": "_xsrf=" + good}
        if mode:
            headers["Sec-Fetch-Mode"] = mode
        if site:
            headers["Sec-Fetch-Site"] = site
        if origin:
            headers["Origin"] = "http://hub.test"
        uri = "/x"
        if given == "arg":
            uri += "?_xsrf=" + good
        if given.startswith("wrong"):
            uri += "?_xsrf=wrong"
        if given.startswith("empty"):
            uri += "?_xsrf="
        if given == "header" or given.endswith("right-header"):
            headers["X-XSRFToken"] = good
        if given == "csrf-header":
            headers["X-CSRFToken"] = good

        class H(APIHandler if api else BaseHandler):
            hub = NS(base_url="/hub/", cookie_name=LOGIN)
            log = logging.getLogger("x")
            _xsrf_token_id = ("sid:" + ID).encode()
            current_user = None

            def set_default_headers(self):
                pass

        self = handler(cls=H, method=method, uri=uri, headers=headers)
        self._jupyterhub_user = NS(name="x") if user else None
        self._token_authenticated = token_auth
        if method in self._xsrf_safe_methods:  # as BaseHandler.prepare
            out.append("-")
            continue
        real = web.decode_signed_value
        try:
            with mock.patch.object(web, "decode_signed_value", lambda *args, **kw: real(*args, clock=lambda: NOW, **kw)):
                asked = []
                with mock.patch.object(xu, "_needs_check_xsrf", side_effect=lambda h, f=NEEDS: asked.append(f(h)) or asked[-1]):
                    self.check_xsrf_cookie()
            out.append("+" if asked and asked[0] else "-")
        except web.HTTPError as e:
            texts.add(e.log_message)
            out.append("m" if "missing" in e.log_message else "x")
    return dict(methods=METHODS, modes=MODES, sites=SITES, given=GIVEN, token=good, want="".join(out), texts=sorted(texts))


NEEDS = xu._needs_check_xsrf

if sys.argv[1:] == ["verify"]:
    q = json.load(sys.stdin)
    out = []
    for name, value, signed in q["signed"]:
        v = web.decode_signed_value(bytes.fromhex(q["secret"]), name, signed, max_age_days=14, min_version=2)
        out.append(v is not None and v.decode() == value)
    SECRET = bytes.fromhex(q["secret"])
    for line, id in q["xsrf"]:
        # a browser sends back what stands before the first attribute
        cookie = line.split("; ")[0]
        token, got = xu._get_xsrf_token_cookie(handler(headers={"Cookie": cookie}))
        out.append(got is not None and got.decode() == id)
    for line, name, value in q["login"]:
        h = handler(headers={"Cookie": "x=1; " + line.split("; ")[0]})
        v = h.get_secure_cookie(name, max_age_days=14)
        out.append(v is not None and v.decode() == value)
    json.dump(out, sys.stdout)
    sys.exit()

json.dump(dict(
    now=NOW, secret=SECRET.hex(),
    signed=[[n, v, sign(n, v), sign(n, v, version=1)] for n, v in [(LOGIN, ID), ("__Host-" + LOGIN, ID), ("_xsrf", "sid123:" + ID), ("n", ""), ("n", "ü|;\"")]],
    verify=verify_cases(), set_cookie=set_cookie_cases(), headers=header_cases(), xsrf_cookies=xsrf_cookie_cases(),
    anonymous=anonymous_cases(), decisions=decisions()), sys.stdout, indent=None, separators=(",", ":"))
