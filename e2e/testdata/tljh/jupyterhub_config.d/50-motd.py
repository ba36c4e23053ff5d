# ruff: noqa: F821


def motd(spawner):
    spawner.environment["MOTD"] = "welcome, %s" % spawner.user.name


c.Spawner.pre_spawn_hook = motd
c.JupyterHub.template_vars = {"announcement": "the machine is moved on Friday"}
