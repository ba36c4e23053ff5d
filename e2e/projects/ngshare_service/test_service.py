"""ngshare as its documentation installs it: a managed service, to which programs show the token of the user they work for.

Its login page is left out: ngshare 0.6.0 asks for a code with PKCE, since jupyterhub's HubOAuth does, and redeems it without, which
JupyterHub 6 refuses as well.
"""

import socket
import sys

import pytest
import requests

from minihub import HubError
from minihub.client import call


@pytest.fixture(scope="session")
def minihub_spec(tmp_path_factory):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    where = tmp_path_factory.mktemp("ngshare")
    command = [
        sys.executable, "-m", "ngshare", "--host=127.0.0.1", f"--port={port}", f"--database=sqlite:///{where}/ngshare.db",
        f"--storage={where}", "--admins=root",
    ]  # fmt: skip
    return {
        "users": ["ann", "root"],
        "services": [{"name": "ngshare", "url": f"http://127.0.0.1:{port}", "command": command, "cwd": str(where)}],
    }


def courses(hub, token):
    return call(hub.url + "services/ngshare/courses", token=token)


def test_a_program_shows_its_token(minihub):
    call(minihub.url + "services/ngshare/course/chemistry", "POST", {}, minihub.tokens["root"])
    assert courses(minihub, minihub.tokens["root"]) == {"success": True, "courses": ["chemistry"]}
    assert courses(minihub, minihub.tokens["ann"]) == {"success": True, "courses": []}, "ann is in no course"


def test_only_an_administrator_makes_courses(minihub):
    with pytest.raises(HubError, match="Permission denied"):
        call(minihub.url + "services/ngshare/course/physics", "POST", {}, minihub.tokens["ann"])


@pytest.mark.parametrize("token", ["", "0123456789abcdef"])
def test_a_stranger_is_sent_to_the_hub(minihub, token):
    headers = {"Authorization": f"token {token}"} if token else {}
    answer = requests.get(minihub.url + "services/ngshare/courses", headers=headers, allow_redirects=False, timeout=60)
    assert answer.status_code == 302
    assert "/hub/api/oauth2/authorize" in answer.headers["Location"]
