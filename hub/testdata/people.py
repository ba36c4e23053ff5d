"""Answers of the real JupyterHub for people_python_test.go, as JSON on stdout.

people.py scopes DATABASE    effective scopes of every user and token of a database
people.py setup FILE         what start-up makes of the configurations in a JSON file, one after the other
"""

import asyncio
import json
import sys
import warnings

from jupyterhub import orm, scopes
from jupyterhub.app import JupyterHub
from traitlets.config import Config

warnings.simplefilter("ignore")


def effective(path):
    db = orm.new_session_factory(f"sqlite:///{path}")()
    out = {}
    for user in db.query(orm.User):
        out[f"user {user.name}"] = sorted(scopes.get_scopes_for(user))
    for token in db.query(orm.APIToken):
        out[f"token {token.note}"] = sorted(scopes.get_scopes_for(token))
    return out


def snapshot(db):
    db.expire_all()
    return {
        "users": [
            [u.name, bool(u.admin), sorted(r.name for r in u.roles), sorted(g.name for g in u.groups)]
            for u in db.query(orm.User).order_by(orm.User.name)
        ],
        "roles": [
            [r.name, r.description or "", sorted(r.scopes or []), bool(r.managed_by_auth)]
            for r in db.query(orm.Role).order_by(orm.Role.name)
        ],
        "groups": [
            [g.name, g.properties or {}, sorted(r.name for r in g.roles)]
            for g in db.query(orm.Group).order_by(orm.Group.name)
        ],
        "services": [
            [
                s.name,
                bool(s.admin),
                sorted(r.name for r in s.roles),
                s.oauth_client.identifier if s.oauth_client else "",
                s.oauth_client.redirect_uri if s.oauth_client else "",
                sorted(s.oauth_client.allowed_scopes) if s.oauth_client else [],
                [s.server.proto, s.server.ip, s.server.port, s.server.base_url, s.server.cookie_name] if s.server else [],
            ]
            for s in db.query(orm.Service).order_by(orm.Service.name)
        ],
        "tokens": sorted(
            [
                [t.owner.name, t.note, sorted(t.scopes), t.hashed.split(":")[1], t.client_id]
                for t in db.query(orm.APIToken)
            ]
        ),
    }


async def start(config, url):
    app = JupyterHub(config=Config(config), log_level=50)
    app.db_url = url
    app.init_db()
    app.init_hub()
    app.init_oauth()
    app.authenticator = app.authenticator_class(parent=app, _deprecated_db_session=app.db)
    try:
        await app.init_role_creation()
        await app.init_users()
        await app.init_groups()
        app.init_services()
        await app.init_api_tokens()
        await app.init_role_assignment()
        await app.init_blocked_users()
    except (Exception, SystemExit) as e:
        app.db.rollback()
        return {"error": f"{type(e).__name__}: {e}"}
    return snapshot(app.db)


async def setup(path):
    with open(path) as f:
        scenarios = json.load(f)
    out = {}
    for name, configs in scenarios.items():
        out[name] = []
        for config in configs:
            config.setdefault("JupyterHub", {})["authenticator_class"] = "dummy"
            out[name].append(await start(config, f"sqlite:///{path}.{name}.sqlite"))
    return out


if sys.argv[1] == "scopes":
    answer = effective(sys.argv[2])
else:
    answer = asyncio.run(setup(sys.argv[2]))
print(json.dumps(answer))
