"""Take a database down to a revision, or up to the head, with JupyterHub's own migrations: upgrade.py FILE down REVISION | FILE up"""
import sys

import alembic.command
import alembic.config

from jupyterhub import dbutil, orm

url = "sqlite:///" + sys.argv[1]
with dbutil._temp_alembic_ini(url) as ini:
    cfg = alembic.config.Config(ini)
    if sys.argv[2] == "down":
        alembic.command.downgrade(cfg, sys.argv[3])
    else:
        alembic.command.upgrade(cfg, "head")
        orm.new_session_factory(url)  # makes the tables that migrations left out, as the start of a hub does
