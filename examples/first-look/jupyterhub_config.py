"""A hub for a first look: `make run` starts it.

Everybody who knows the password can log in under any name, and the servers of all users run as the
account that started the hub. Good for one person on one machine; never put it on a network.
"""

import os
import secrets
import sys

c = get_config()  # noqa

state = os.environ.get("FIRST_LOOK_STATE", os.getcwd())
venv = os.environ.get("FIRST_LOOK_VENV")

# Loopback only.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"

# One password for every name; `make run` prints it.
password = os.environ.get("FIRST_LOOK_PASSWORD")
if not password:
    password = secrets.token_urlsafe(9)
    print(f"log in with any user name and the password {password}", file=sys.stderr)
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = password
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"admin"}

# Servers are plain processes of this account, each with a folder of its own.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = os.path.join(state, "home", "{username}")
if venv:
    c.Spawner.cmd = [os.path.join(venv, "bin", "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
# Whoever starts `make run` as root (a container, a test machine) may do so.
if os.getuid() == 0:
    c.Spawner.args = ["--allow-root"]

c.JupyterHub.allow_named_servers = True
