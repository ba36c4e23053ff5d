"""Logs in with the hub as authlib does, which finds the endpoints by itself.

It prints the address for the browser, reads from standard input where the browser came out, and prints what it got, as
JSON.
"""

import json
import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

env = os.environ
issuer, secret = env["ISSUER"], env["CLIENT_SECRET"]
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http on this machine

server = AuthorizationServerMetadata(requests.get(get_well_known_url(issuer, external=True)).json())
assert server["issuer"] == issuer, server
if env.get("VALIDATE"):  # it accepts only https
    server.validate()
verifier = "a-verifier-of-the-test-" * 3
session = OAuth2Session(
    env["CLIENT_ID"], secret, redirect_uri=env["REDIRECT_URI"], code_challenge_method="S256",
    token_endpoint_auth_method=server["token_endpoint_auth_methods_supported"][0],
    introspection_endpoint_auth_method=server["introspection_endpoint_auth_methods_supported"][0],
    revocation_endpoint_auth_method=server["revocation_endpoint_auth_methods_supported"][1],
)
address, state = session.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier)
print(address, flush=True)

back = input()
token = session.fetch_token(
    server["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
)
user = session.get(server["userinfo_endpoint"]).json()


def introspect():
    answer = session.introspect_token(server["introspection_endpoint"], token["access_token"])
    assert answer.status_code == 200, answer.text
    return answer.json()


before = introspect()
answer = session.revoke_token(server["revocation_endpoint"], token["access_token"])
assert answer.status_code == 200, answer.text
print(json.dumps({"token_type": token["token_type"], "user": user, "before": before, "after": introspect()}))
