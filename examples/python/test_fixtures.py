"""What the fixtures promise."""

import pytest

from minihub import HubError


@pytest.mark.parametrize("round", [1, 2])
def test_every_test_finds_the_hub_as_it_was(minihub, round):
    assert sorted(u["name"] for u in minihub.admin.get("/users")) == ["ann", "bob", "root"]
    minihub.admin.post("/users/eve")
    minihub.api("bob").post("/users/bob/server")
    minihub.admin.delete("/users/ann")


def test_tokens_have_the_scopes_asked_for(minihub):
    minihub.tokens["limited"] = minihub.token("ann", "read:users!user=ann")
    limited = minihub.api("limited")
    assert limited.get("/users/ann")["name"] == "ann"
    with pytest.raises(HubError):
        limited.post("/users/ann/server")


def test_a_browser_is_logged_in(minihub):
    browser = minihub.browser("ann")
    assert browser.get("hub/home").path == "/hub/home"
    minihub.admin.post("/users/ann/server")
    page = browser.open("/user/ann/")
    assert page.status == 200
    assert page.path.startswith("/user/ann/")


def test_a_start_fails_to_order(minihub):
    minihub.fail_spawns(fail="no chairs left", times=1)
    with pytest.raises(HubError, match="no chairs left"):
        minihub.api("ann").post("/users/ann/server")


def test_requests_and_httpx_take_the_login_over(minihub):
    requests = pytest.importorskip("requests")
    browser = minihub.browser("ann")
    answer = browser.session().post("hub/api/users/ann/tokens", json={"note": "from a page"})
    assert answer.status_code == 201, answer.text
    plain = requests.Session()
    plain.trust_env = False
    assert plain.post(minihub.url + "hub/api/users/ann/tokens", cookies=browser.cookies).status_code == 403, "without the XSRF token"


def test_httpx_takes_the_login_over(minihub):
    pytest.importorskip("httpx")
    with minihub.browser("ann").httpx() as client:
        assert client.post("hub/api/users/ann/tokens", json={"note": "from a page"}).status_code == 201


def test_a_hub_of_its_own(hub_app):
    hub = hub_app(users=["eve"], config={"JupyterHub": {"allow_named_servers": True}})
    hub.api("eve").post("/users/eve/servers/work")
    assert "work" in hub.admin.get("/users/eve")["servers"]


def test_a_wrong_description_says_what_is_wrong(hub_app, request):
    if request.config.getoption("--hub") != "minihub":
        pytest.skip("JupyterHub ignores what it does not know")
    with pytest.raises(HubError, match="allow_named_servers"):
        hub_app(config={"JupyterHub": {"allow_named_servers": "perhaps"}})
