"""Calls to the REST API with nothing but the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from .errors import HubError

TIMEOUT = 60.0
"""Seconds that one call may take."""

# The hubs are on loopback: a proxy of the environment must not get in between.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url: str, method: str = "GET", body: Any = None, token: str = "") -> Any:
    """Send a request with a JSON body and return the decoded answer, None when it is empty. Raises HubError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"token {token}")
    try:
        with _opener.open(request, timeout=TIMEOUT) as answer:
            text = answer.read()
    except urllib.error.HTTPError as e:
        raise _refusal(e) from None
    except urllib.error.URLError as e:
        raise HubError(f"{method} {url}: the hub cannot be reached: {e.reason}") from e
    return json.loads(text) if text.strip() else None


def _refusal(e: urllib.error.HTTPError) -> HubError:
    text = e.read().decode(errors="replace")
    try:
        body = json.loads(text)
        return HubError(body.get("message") or e.reason, e.code, body.get("hint") or "")
    except (ValueError, AttributeError):
        return HubError(text[:500] or str(e.reason), e.code)


class Client:
    """The REST API in the name of the owner of a token.

    >>> hub.api("ann").get("/users/ann")                                        # doctest: +SKIP
    >>> hub.api("ann").post("/users/ann/server")                                # doctest: +SKIP
    """

    def __init__(self, api_url: str, token: str) -> None:
        self.api_url, self.token = api_url.rstrip("/"), token

    def request(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        query = "?" + urllib.parse.urlencode(params) if params else ""
        return call(self.api_url + path + query, method, body, self.token)

    def get(self, path: str, **params: str) -> Any:
        return self.request("GET", path, **params)

    def post(self, path: str, body: Any = None) -> Any:
        return self.request("POST", path, body)

    def patch(self, path: str, body: Any = None) -> Any:
        return self.request("PATCH", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self.request("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> Any:
        return self.request("DELETE", path, body)
