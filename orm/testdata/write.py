"""Write a database with JupyterHub's ORM: write.py FILE TOKEN"""
import datetime
import sys

from jupyterhub import orm

db = orm.new_session_factory("sqlite:///" + sys.argv[1])()
token = sys.argv[2]
db.add(orm.OAuthClient(identifier="jupyterhub", description="JupyterHub", secret="", redirect_uri=""))
role = orm.Role(name="reader", description="reads", scopes=["read:users", "list:users"])
group = orm.Group(name="lab", properties={"é": [1, 2.5, None, True, "𝄞"]}, roles=[role])
ada = orm.User(name="ada", admin=True, groups=[group], roles=[role], user_info={"n": 1}, encrypted_auth_state=b"gAAAA",
    created=datetime.datetime(2026, 1, 2, 3, 4, 5, 678), last_activity=datetime.datetime(2026, 1, 2, 3, 4, 5))
bob = orm.User(name="bob")
server = orm.Server(ip="127.0.0.1", port=1234, base_url="/user/ada/")
client = orm.OAuthClient(identifier="jupyterhub-user-ada", allowed_scopes=["access:servers!server=ada/"])
spawner = orm.Spawner(name="", user=ada, server=server, oauth_client=client, state={"pid": 42},
    user_options={"raw": b"\x00\xff" * 60, "f": 1.0, "nan": float("nan"), "deep": {"x": [b"q"]}})
poisoned = orm.Spawner(name="bad", user=ada, user_options={"x": 1})
db.add_all([ada, bob, spawner, poisoned])
db.add(orm.Service(name="svc", url="http://x", command=["a", "b"], environment={"K": "V"}, from_config=False))
db.commit()
db.execute(orm.text("UPDATE spawners SET user_options='{\"__jupyterhub_bytes__\": true}' WHERE name='bad'"))
db.commit()
ada.new_api_token(token, note="mine", expires_in=3600, scopes=["inherit"])
orm.Share.grant(db, spawner, bob)
orm.ShareCode.new(db, spawner, scopes=["access:servers"])
db.add(orm.OAuthCode(client_id="jupyterhub-user-ada", code="c" * 30, expires_at=2000000000, user=ada, scopes=["x"]))
db.commit()
