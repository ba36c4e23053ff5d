"""Ways of writing a configuration. Read by JupyterHub and by minihub in TestTrickyFileAsJupyterHub."""
import os

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets.config import Config

c = get_config()  # noqa: F821


c.JupyterHub.authenticator_class = DummyAuthenticator
c.JupyterHub.spawner_class = SimpleLocalProcessSpawner

# a section that is replaced, then changed
c.Spawner.args = ["gone"]
c.Spawner = Config()
c.Spawner.args = ["one"]
c.Spawner.args.append("two")
c.Spawner.args.extend(["three"])
c.Spawner.args.insert(0, "zero")
c.Spawner.args += ["four"]
c.SimpleLocalProcessSpawner.args.append("child")
c.SimpleLocalProcessSpawner.args.prepend(["first"])
c.LocalProcessSpawner.args.insert(1, "inserted")

# lists, sets and dicts that are still the defaults
c.Spawner.env_keep.append("KEPT")
c.SimpleLocalProcessSpawner.env_keep.prepend(["KEPT_FIRST"])
c.Authenticator.admin_users.add("root1")
c.Authenticator.admin_users.update({"root2"})
c.Authenticator.allowed_users = {"ann"}
c.Authenticator.allowed_users |= {"bob"}
c.Authenticator.allowed_users.update(["root1"])
c.Authenticator.allowed_users.discard("nobody")
c.DummyAuthenticator.blocked_users = {"eve"}
c.DummyAuthenticator.username_map.update({"a": "ann"})
c.Authenticator.username_map = {"b": "bob"}
c.JupyterHub.trusted_downstream_ips.extend(["10.0.0.1"])

# the nearest class wins, whatever the order
c.DummyAuthenticator.auth_refresh_age = 7
c.Authenticator.auth_refresh_age = 8
c.LocalProcessSpawner.start_timeout = 33
c.Spawner.start_timeout = 34
c.Spawner.http_timeout = 35
c.Spawner.mem_limit = "1.5G"
c.Spawner.cmd = "jupyter-labhub"

# nested values, objects handed over, and items
c["JupyterHub"]["port"] = 9123
c.JupyterHub.tornado_settings = {"headers": {"X-Lab": "1"}}
c.JupyterHub.tornado_settings.update({"slow_spawn_timeout": 0})
c.merge(Config({"JupyterHub": {"cookie_max_age_days": 2.5}}))
other = Config({"Spawner": {"notebook_dir": "~/work"}})
c.merge(other)
c.Spawner.environment = {"TRICKY": os.environ["TRICKY"]}
c.Spawner.environment.update(MORE="text")
c.JupyterHub.load_roles = [{"name": "reader", "scopes": ["read:users"], "users": ["ann"]}]
for n in range(2):
    c.JupyterHub.services.append({"name": f"service-{n}", "api_token": "0123456789abcdef%d" % n})

load_subconfig("tricky_sub.py")  # noqa: F821


# functions
async def before(spawner):
    pass


def factory(text):
    def form(spawner):
        return text

    return form


c.Spawner.pre_spawn_hook = before
c.Spawner.options_form = factory("<input>")
c.Authenticator.post_auth_hook = lambda authenticator, handler, model: model
c.JupyterHub.user_redirect_hook = before
