"""Write a database with the ORM of an old JupyterHub, from 0.9 to 4.x: old.py FILE TOKEN"""
import datetime
import sys

import jupyterhub
import sqlalchemy
from jupyterhub import orm

major = int(jupyterhub.__version__.split(".")[0])
path, token = sys.argv[1:3]
url = path if "://" in path else "sqlite:///" + path
db = orm.new_session_factory(url)()
group = orm.Group(name="lab")
ada = orm.User(name="ada", admin=True, encrypted_auth_state=b"gAAAA", last_activity=datetime.datetime(2021, 1, 2, 3, 4, 5))
ada.groups.append(group)
bob = orm.User(name="bob")
server = orm.Server(proto="http", ip="127.0.0.1", port=1234, base_url="/user/ada/")
spawner = orm.Spawner(name="", user=ada, server=server, state={"pid": 42})
poisoned = orm.Spawner(name="bad", user=ada)
db.add_all([group, ada, bob, server, spawner, poisoned, orm.Service(name="svc")])
if major >= 1:
    spawner.user_options = {"size": 3, "raw": "x"}
db.add(orm.OAuthClient(identifier="jupyterhub", description="JupyterHub", secret="", redirect_uri=""))
client = orm.OAuthClient(identifier="jupyterhub-user-ada", description="ada", secret="s", redirect_uri="/user/ada/oauth_callback")
db.add(client)
db.commit()
if major >= 2:
    role = orm.Role(name="reader", description="reads", scopes=["read:users", "list:users"])
    db.add(role)
    ada.roles.append(role)
    spawner.oauth_client = client
    if major == 2:
        db.add(orm.Role(name="token", description="all of its owner's", scopes=["inherit" if jupyterhub.__version__ >= "2.4" else "all"]))
        db.commit()
        client.allowed_roles.append(role)
        ada.new_api_token(token, note="mine", roles=["reader"])
    else:
        client.allowed_scopes = ["read:users", "access:servers!server=ada/"]
        ada.new_api_token(token, note="mine", scopes=["read:users"])
elif major == 1:
    ada.new_api_token(token, note="mine")
else:
    ada.new_api_token(token)
db.commit()
if major >= 1:
    db.execute(sqlalchemy.text("UPDATE spawners SET user_options='{\"__jupyterhub_bytes__\": true}' WHERE name='bad'"))
    db.commit()
orm.check_db_revision(db.bind)  # writes the stamp, as the start of a hub does
