"""Read a database with JupyterHub's ORM and print what it sees as JSON: read.py FILE"""
import json
import sys

from jupyterhub import orm

db = orm.new_session_factory("sqlite:///" + sys.argv[1])()
when = lambda t: t and t.isoformat()
out = {
    "users": [
        {
            "name": u.name,
            "admin": u.admin,
            "created": when(u.created),
            "last_activity": when(u.last_activity),
            "cookie_id": u.cookie_id,
            "user_info": u.user_info,
            "auth_state": u.encrypted_auth_state and u.encrypted_auth_state.decode(),
            "groups": sorted(g.name for g in u.groups),
            "roles": sorted(r.name for r in u.roles),
            "tokens": [[t.note, t.prefix, t.scopes, when(t.expires_at), t.client_id, t.match(sys.argv[2])] for t in u.api_tokens],
            "codes": [[c.code, c.expires_at, c.scopes, c.code_challenge] for c in u.oauth_codes],
            "shares": [s.scopes for s in u.all_shared_with_me],
            "share_codes": [[c.scopes, c.match(sys.argv[2])] for c in u.share_codes],
            "servers": [
                {
                    "name": s.name,
                    "display_name": s.display_name,
                    "port": s.server and s.server.port,
                    "options": repr(s.user_options),
                    "state": s.state,
                    "client": s.oauth_client and s.oauth_client.allowed_scopes,
                }
                for s in u._orm_spawners
            ],
        }
        for u in db.query(orm.User).order_by(orm.User.id)
    ],
    "groups": [[g.name, g.properties, sorted(r.name for r in g.roles)] for g in db.query(orm.Group)],
    "roles": [[r.name, r.description, r.scopes, r.managed_by_auth] for r in db.query(orm.Role)],
    "services": [
        [s.name, s.admin, s.url, s.oauth_client_allowed_scopes, s.info, s.display, s.command, s.environment, s.user, s.timeout, s.from_config]
        for s in db.query(orm.Service)
    ],
}
print(json.dumps(out))
