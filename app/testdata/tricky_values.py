"""Prints the values that JupyterHub's own objects get from tricky.py, as JSON."""
import json

from jupyterhub.app import JupyterHub

app = JupyterHub()
app.parse_command_line(["--Spawner.http_timeout=44"])
app.load_config_file("tricky.py")
auth = app.authenticator_class(parent=app)
spawner = app.spawner_class(parent=app)

values = {name: getattr(app, name) for name in (
    "load_roles", "tornado_settings", "port", "cookie_max_age_days", "trusted_downstream_ips")}
values["services"] = len(app.services)
for name in ("admin_users", "allowed_users", "blocked_users"):
    values[name] = sorted(getattr(auth, name))
values.update({name: getattr(auth, name) for name in ("username_map", "auth_refresh_age")})
values.update({name: getattr(spawner, name) for name in (
    "args", "cmd", "environment", "mem_limit", "default_url", "start_timeout", "http_timeout", "notebook_dir", "env_keep")})
print(json.dumps(values))
