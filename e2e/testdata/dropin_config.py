"""A configuration as a lab has it: functions, a class, an OAuth login, services and roles.

The same file is read by JupyterHub 5.3, JupyterHub 6.1 and minihub. Ports and secrets are in dropin.json beside it.
"""

import json
import os

c = get_config()  # noqa

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "dropin.json")) as f:
    facts = json.load(f)

c.JupyterHub.bind_url = facts["url"]
c.JupyterHub.hub_bind_url = facts["hub_url"]
c.JupyterHub.cleanup_servers = False
c.JupyterHub.allow_named_servers = True
c.JupyterHub.db_url = "sqlite:///" + os.path.join(here, "jupyterhub.sqlite")
c.JupyterHub.cookie_secret_file = os.path.join(here, "jupyterhub_cookie_secret")
c.ConfigurableHTTPProxy.api_url = facts["proxy_api_url"]
c.ConfigurableHTTPProxy.auth_token = facts["proxy_token"]
c.CryptKeeper.keys = [facts["crypt_key"]]

c.Authenticator.enable_auth_state = True
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"admin"}


def more_auth_state(authenticator, handler, authentication):
    state = authentication.get("auth_state") or {}
    authentication["auth_state"] = {**state, "seen": authentication["name"] + "'s state"}
    return authentication


if "idp" in facts:
    from oauthenticator.generic import GenericOAuthenticator

    class LabAuthenticator(GenericOAuthenticator):
        login_service = "the lab"

    c.JupyterHub.authenticator_class = LabAuthenticator
    c.LabAuthenticator.client_id = facts["idp_client"]
    c.LabAuthenticator.client_secret = facts["idp_secret"]
    c.LabAuthenticator.oauth_callback_url = facts["url"] + "/hub/oauth_callback"
    c.LabAuthenticator.authorize_url = facts["idp"] + "/authorize"
    c.LabAuthenticator.token_url = facts["idp"] + "/token"
    c.LabAuthenticator.userdata_url = facts["idp"] + "/userinfo"
    c.LabAuthenticator.username_claim = "preferred_username"
    c.LabAuthenticator.scope = ["openid", "profile"]
    c.Authenticator.auth_refresh_age = 2
else:
    c.JupyterHub.authenticator_class = "dummy"
    c.DummyAuthenticator.password = facts["password"]
    c.Authenticator.post_auth_hook = more_auth_state

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = os.path.join(here, "home", "{username}")
c.Spawner.cmd = facts["server_command"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = 60


async def note(spawner):
    spawner.environment["DROPIN_NOTE"] = f"for {spawner.user.name}"


def upstream(spawner, auth_state):
    person = (auth_state or {}).get("oauth_user") or {}
    spawner.environment["DROPIN_UPSTREAM"] = person.get("sub", "")


c.Spawner.pre_spawn_hook = note
c.Spawner.auth_state_hook = upstream

c.JupyterHub.services = [
    {"name": "e2e-admin", "api_token": facts["admin_token"]},
    {
        "name": "app",
        "api_token": facts["app_token"],
        "oauth_redirect_uri": facts["app_url"] + "/callback",
        "oauth_client_allowed_scopes": ["read:users!user", "access:servers!user"],
        "oauth_no_confirm": True,
    },
]
c.JupyterHub.load_groups = {
    "class": {"users": ["alice", "bob"], "properties": {"level": 3, "room": "Süd"}},
}
c.JupyterHub.load_roles = [
    {
        "name": "e2e-admin",
        "scopes": ["admin:users", "admin:servers", "admin:groups", "admin:services", "admin:auth_state", "tokens", "shares", "access:servers",
                   "read:hub", "list:services", "read:roles", "read:services", "proxy"],
        "services": ["e2e-admin"],
    },
    {"name": "tutor", "description": "helps", "scopes": ["list:users!group=class", "read:servers!group=class"], "users": ["bob"], "groups": ["class"]},
    {"name": "user", "scopes": ["self", "access:services"]},
]
