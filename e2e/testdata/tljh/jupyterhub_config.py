# ruff: noqa: F821  (c is the name that traitlets gives the file)
# A hub on one machine, configured as The Littlest JupyterHub does it: settings of a YAML file are applied by functions,
# servers are units of systemd, with an account made for each person, and files of a folder come last.
import os
import subprocess
import sys
from glob import glob

import yaml
from systemdspawner import SystemdSpawner
from traitlets import Dict, Unicode

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "config.yaml")) as f:
    settings = yaml.safe_load(f)


class LabSpawner(SystemdSpawner):
    """Makes the account of a person before the server starts."""

    user_groups = Dict(key_trait=Unicode(), config=True)

    def start(self):
        system_name = "jupyter-" + self.user.name
        self.username_template = system_name
        if subprocess.run(["getent", "passwd", system_name], stdout=subprocess.DEVNULL).returncode:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", system_name], check=True)
        for group, members in self.user_groups.items():
            if self.user.name in members:
                subprocess.run(["groupadd", "--force", group], check=True)
                subprocess.run(["gpasswd", "--add", system_name, group], check=True, stdout=subprocess.DEVNULL)
        if self.user.admin:
            self.disable_user_sudo = False
        return super().start()


c.JupyterHub.spawner_class = LabSpawner
c.JupyterHub.cleanup_servers = False
c.JupyterHub.hub_port = 15001
c.JupyterHub.bind_url = "http://127.0.0.1:15002"
c.JupyterHub.template_paths = [os.path.join(here, "templates")]

# the proxy is traefik, which a unit of its own runs
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.should_start = False
c.TraefikFileProviderProxy.dynamic_config_file = "/opt/lab/state/rules/rules.toml"
c.TraefikProxy.traefik_api_url = "http://127.0.0.1:8099"

c.SystemdSpawner.extra_paths = ["/opt/lab/user/bin"]
c.SystemdSpawner.default_shell = "/bin/bash"
c.SystemdSpawner.unit_name_template = "jupyter-{USERNAME}"
c.SystemdSpawner.user_workingdir = "/home/jupyter-{USERNAME}"
c.SystemdSpawner.isolate_tmp = False
c.SystemdSpawner.disable_user_sudo = True


def apply_users(c):
    users = settings["users"]
    c.Authenticator.admin_users = set(users["admin"])
    c.Authenticator.allowed_users = set(users["allowed"])
    c.Authenticator.blocked_users = set(users["banned"])
    c.LabSpawner.user_groups = users["extra_user_groups"]


def apply_limits(c):
    c.Spawner.mem_limit = settings["limits"]["memory"]
    c.Spawner.cpu_limit = settings["limits"]["cpu"]


def apply_auth(c):
    auth = dict(settings["auth"])
    c.JupyterHub.authenticator_class = auth.pop("type")
    for name, traits in auth.items():
        for trait, value in traits.items():
            setattr(c[name], trait, value)


def apply_services(c):
    cull = settings["services"]["cull"]
    command = [os.environ.get("CULLER_PYTHON", sys.executable), "-m", "jupyterhub_idle_culler"]
    command += ["--%s=%d" % (option.replace("every", "cull-every"), cull[option]) for option in ("timeout", "every", "concurrency", "max_age") if cull[option]]
    if cull["users"]:
        command.append("--cull-users")
    c.JupyterHub.services.append({"name": "cull-idle", "admin": True, "command": command})


for apply in (apply_users, apply_limits, apply_auth, apply_services):
    apply(c)

if settings["user_environment"]["default_app"] == "jupyterlab":
    c.Spawner.default_url = "/lab"

for extra in sorted(glob(os.path.join(here, "jupyterhub_config.d", "*.py"))):
    load_subconfig(extra)
