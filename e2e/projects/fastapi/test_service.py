"""The FastAPI service of JupyterHub's examples, unchanged: MINIHUB_FASTAPI is its folder in the source distribution."""

import os
import re
import socket
import sys
import urllib.parse

import httpx
import pytest


@pytest.fixture(scope="session")
def minihub_spec():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    # The example wants the public address of the hub, for Swagger's login; a test has it when the hub runs, so the callback is the service's own.
    public = f"http://127.0.0.1:{port}"
    return {
        "users": ["ann", "bob"],
        "services": [
            {
                "name": "fastapi",
                "url": public,
                "command": [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)],
                "cwd": os.environ["MINIHUB_FASTAPI"],
                "oauth_redirect_uri": public + "/services/fastapi/oauth_callback",
                "environment": {"PUBLIC_HOST": public},
            }
        ],
        "roles": [
            {"name": "user", "scopes": ["self"]},
            {"name": "visitors", "users": ["ann"], "scopes": ["access:services!service=fastapi"]},
        ],
    }


def visit(hub, path, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{hub.url}services/fastapi/{path}", headers=headers, trust_env=False, timeout=60)


def test_everybody_may_say_hello(minihub):
    assert visit(minihub, "").json() == {"Hello": "World"}


def test_without_a_token(minihub):
    assert visit(minihub, "me").status_code == 401


def test_a_token_of_nobody(minihub):
    answer = visit(minihub, "me", "0123456789abcdef")
    assert answer.status_code == 400
    assert answer.json()["detail"]["response_code"] == 403


def test_who_may_use_the_service_is_shown(minihub):
    answer = visit(minihub, "me", minihub.tokens["ann"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "ann"
    assert visit(minihub, f"me?token={minihub.tokens['ann']}").status_code == 200


def test_who_may_not(minihub):
    answer = visit(minihub, "me", minihub.tokens["bob"])
    assert answer.status_code == 403
    assert answer.json()["detail"]["msg"] == "User not authorized: bob"


def test_the_hub_fails(minihub):
    minihub.fail_api(status=500, path="/hub/api/user", times=1)
    assert visit(minihub, "me", minihub.tokens["ann"]).status_code == 400
    assert visit(minihub, "me", minihub.tokens["ann"]).status_code == 200


def test_the_authorize_button_of_its_documentation(minihub):
    """Swagger's login: to the hub, back with a code, and the service changes the code for a token."""
    browser = minihub.browser("ann").httpx()
    callback = minihub.admin.get("/services/fastapi")["url"] + "/services/fastapi/oauth_callback"
    query = {"response_type": "code", "client_id": "service-fastapi", "redirect_uri": callback, "state": "s1"}
    page = browser.get("hub/api/oauth2/authorize?" + urllib.parse.urlencode(query))
    assert page.status_code == 200, page.text
    scopes = re.findall(r'name="scopes"[^>]*value="([^"]*)"', page.text)
    agreed = browser.post(str(page.url), data={"scopes": scopes, "_xsrf": xsrf(browser)}, follow_redirects=False)
    where = urllib.parse.urlsplit(agreed.headers["Location"])
    answer = urllib.parse.parse_qs(where.query)
    assert (where.path, answer["state"]) == ("/services/fastapi/oauth_callback", ["s1"])
    tokens = httpx.post(minihub.url + "services/fastapi/get_token", data={"code": answer["code"][0]}, trust_env=False, timeout=60).json()
    assert minihub.api("ann").get("/user")["name"] == "ann"
    who = httpx.get(minihub.api_url + "/user", headers={"Authorization": f"Bearer {tokens['access_token']}"}, trust_env=False)
    assert who.json()["name"] == "ann"


def xsrf(client):
    return next(c.value for c in client.cookies.jar if c.name == "_xsrf")
