"""dask-gateway-server with its JupyterHubAuthenticator, and dask-gateway's own client, as their documentation puts them together."""

import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from dask_gateway import Gateway, JupyterHubAuth

SERVICE = "dask-gateway"

CONFIG = """
c.DaskGateway.address = "127.0.0.1:{port}"
c.DaskGateway.backend_class = "dask_gateway_server.backends.inprocess.InProcessBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.JupyterHubAuthenticator"
c.JupyterHubAuthenticator.jupyterhub_api_url = "{api_url}"
c.JupyterHubAuthenticator.jupyterhub_api_token = "{api_token}"
c.JupyterHubAuthenticator.jupyterhub_service_name = "{service}"
c.Proxy.address = "127.0.0.1:{proxy}"
"""


def free_ports(n):
    taken = [socket.socket() for _ in range(n)]
    for s in taken:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in taken]
    for s in taken:
        s.close()
    return ports


def reachable(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status == 200
    except OSError:  # not there, or the gateway's proxy has no route yet
        return False


@pytest.fixture(scope="session")
def minihub_spec():
    return {
        "users": ["ann", "bob"],
        "groups": {"lab": ["ann"]},
        "services": [{"name": SERVICE}],
        "roles": [{"name": "lab", "groups": ["lab"], "scopes": [f"access:services!service={SERVICE}"]}],
    }


@pytest.fixture(scope="session")
def address(minihub_session, tmp_path_factory):
    """A gateway server beside the session's hub."""
    where = tmp_path_factory.mktemp("gateway")
    port, proxy = free_ports(2)
    token = minihub_session.services[SERVICE]["api_token"]
    (where / "config.py").write_text(CONFIG.format(port=port, proxy=proxy, api_url=minihub_session.api_url, api_token=token, service=SERVICE))
    with open(where / "log", "wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "dask_gateway_server", "-f", "config.py"], cwd=where, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while not reachable(f"http://127.0.0.1:{proxy}/api/health"):
            assert server.poll() is None and time.monotonic() < deadline, (where / "log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{proxy}"
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture
def gateway(address):
    opened = []

    def connect(token):
        opened.append(Gateway(address, auth=JupyterHubAuth(api_token=token)))
        return opened[-1]

    yield connect
    for g in opened:
        g.close()


def test_a_member_of_the_lab_starts_a_cluster(minihub, gateway):
    ann = gateway(minihub.tokens["ann"])
    assert ann.list_clusters() == []
    name = ann.submit()
    assert [c.name for c in ann.list_clusters()] == [name]
    ann.stop_cluster(name)


def test_who_has_no_access_to_the_service_is_refused(minihub, gateway):
    with pytest.raises(Exception, match="[Uu]nauthorized|401"):
        gateway(minihub.tokens["bob"]).list_clusters()


def test_a_token_without_the_scope_is_refused(minihub, gateway):
    with pytest.raises(Exception, match="[Uu]nauthorized|401"):
        gateway(minihub.token("ann", "read:users!user=ann")).list_clusters()


def test_an_expired_token_is_refused(minihub, gateway):
    token = minihub.api("ann").post("/users/ann/tokens", {"expires_in": 3600})["token"]
    assert gateway(token).list_clusters() == []
    minihub.advance("2h")
    with pytest.raises(Exception, match="Permission failure"):
        gateway(token).list_clusters()


def test_the_hub_fails_for_a_moment(minihub, gateway):
    minihub.fail_api(status=503, path="/hub/api/user", times=1)
    with pytest.raises(Exception, match="502"):
        gateway(minihub.tokens["ann"]).list_clusters()
    assert gateway(minihub.tokens["ann"]).list_clusters() == []
