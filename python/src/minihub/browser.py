"""Logging in as a browser does, and handing the cookies to requests or httpx."""

from __future__ import annotations

import http.cookiejar
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from typing import Any

from .client import TIMEOUT
from .errors import HubError


class Page:
    """What a browser sees after all redirects: ``status``, ``url``, ``headers`` and ``text``."""

    def __init__(self, status: int, url: str, headers: Any, text: str) -> None:
        self.status, self.url, self.headers, self.text = status, url, headers, text

    @property
    def path(self) -> str:
        return urllib.parse.urlsplit(self.url).path


class _KeepErrors(urllib.request.HTTPErrorProcessor):
    """Pages with an error status are pages; redirects are followed."""

    def http_response(self, request, response):
        if 300 <= response.status < 400:
            return super().http_response(request, response)
        return response

    https_response = http_response


class _Inputs(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.values = name, []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        a = dict(attrs)
        if tag == "input" and a.get("name") == self.name:
            self.values.append(a.get("value") or "")


class Browser:
    """A browser without a screen: cookies, redirects, XSRF tokens, and the consent page of OAuth.

    ``login`` does what a person does on the login page. ``session()`` is a requests.Session, ``httpx()`` a httpx.Client, both
    with these cookies.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _KeepErrors()
        )

    def login(self, user: str, password: str = "any") -> Page:
        self.get("hub/login")
        next_url = urllib.parse.quote(urllib.parse.urlsplit(self.base).path + "hub/home")
        page = self.post(f"hub/login?next={next_url}", {"username": user, "password": password})
        if page.status != 200 or page.path.endswith("/hub/login"):
            raise HubError(f"log {user} in: the hub answers {page.status} at {page.path}", page.status)
        return page

    def get(self, path: str) -> Page:
        """Open a page; ``path`` is relative to the hub's base_url ("hub/home") or absolute ("/services/x/")."""
        return self._send(path, None)

    def open(self, path: str) -> Page:
        """Open a page of a server or a service, and agree when the hub asks whether it may know who the user is."""
        page = self.get(path)
        if not page.path.endswith("/hub/api/oauth2/authorize"):
            return page
        found = _Inputs("scopes")
        found.feed(page.text)
        return self.post(page.url, {"scopes": found.values})

    def post(self, path: str, form: dict[str, Any]) -> Page:
        """Send a form with the XSRF token of that path."""
        url = urllib.parse.urljoin(self.base, path)
        return self._send(path, {"_xsrf": self.xsrf(url), **form})

    def xsrf(self, url: str) -> str:
        """The XSRF token that a request to ``url`` has to send as the field _xsrf or the header X-XSRFToken."""
        path = urllib.parse.urlsplit(urllib.parse.urljoin(self.base, url)).path
        best = ""
        length = -1
        for cookie in self.cookies:
            if cookie.name == "_xsrf" and path.startswith(cookie.path) and len(cookie.path) > length:
                best, length = cookie.value or "", len(cookie.path)
        return best

    def _send(self, path: str, form: dict[str, Any] | None) -> Page:
        url = urllib.parse.urljoin(self.base, path)
        data = None if form is None else urllib.parse.urlencode(form, doseq=True).encode()
        request = urllib.request.Request(url, data=data, headers={"Accept": "text/html,*/*"})
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            return Page(answer.status, answer.url, answer.headers, answer.read().decode(errors="replace"))

    def session(self) -> Any:
        """A requests.Session with this browser's cookies; its requests to the hub carry the XSRF token."""
        import requests

        browser = self

        class Session(requests.Session):
            def request(self, method, url, *args, **kwargs):
                url = urllib.parse.urljoin(browser.base, url)
                headers = dict(kwargs.pop("headers", None) or {})
                if token := browser.xsrf(url):
                    headers.setdefault("X-XSRFToken", token)
                return super().request(method, url, *args, headers=headers, **kwargs)

        s = Session()
        s.trust_env = False
        s.cookies.update(self.cookies)
        return s

    def httpx(self) -> Any:
        """A httpx.Client with this browser's cookies; its requests to the hub carry the XSRF token."""
        import httpx

        def add_token(request: httpx.Request) -> None:
            if token := self.xsrf(str(request.url)):
                request.headers.setdefault("X-XSRFToken", token)

        return httpx.Client(
            base_url=self.base, cookies=self.cookies, follow_redirects=True, trust_env=False, timeout=TIMEOUT, event_hooks={"request": [add_token]}
        )
