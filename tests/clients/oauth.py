"""OAuth libraries that we didn't write get a token, and say what is wrong where they don't.

Arguments: the server's URL, a client's id, its secret, and the scope that it has."""

import os
import sys

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as RequestsOAuthlib

# The server under test speaks plain HTTP on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

base, client_id, secret, scope = sys.argv[1:]
token_url = f"{base}/v1/oauth/token"


def fail(sentence):
    sys.exit(f"FAILED: {sentence}")


def authlib(secret, scope, **more):
    session = Authlib(client_id, secret, scope=scope, token_endpoint_auth_method="client_secret_basic")
    return session, session.fetch_token(token_url, grant_type="client_credentials", **more)


def requests_oauthlib(secret, scope, **more):
    session = RequestsOAuthlib(client=BackendApplicationClient(client_id=client_id, scope=scope))
    auth = HTTPBasicAuth(client_id, secret)
    return session, session.fetch_token(token_url, auth=auth, **more)


def code_of(error):
    return getattr(error, "error", None)


for name, ask, failure in (
    ("Authlib", authlib, OAuthError),
    ("requests-oauthlib", requests_oauthlib, OAuth2Error),
):
    session, token = ask(secret, scope)
    # The one library splits the scopes, the other doesn't.
    if token.get("token_type") != "Bearer" or token.get("scope") not in (scope, [scope]):
        fail(f"{name} got {token} where a Bearer token of the scope {scope} was to be expected")
    me = session.get(f"{base}/v1/me")
    if me.status_code != 200 or me.json()["scopes"] != [scope]:
        fail(f"{name} can't use its token: {me.status_code} {me.text}")
    _, token = ask(secret, scope, audience="https://api.example.org")
    if not token.get("access_token"):
        fail(f"{name} gets no token where it sends a parameter that the server doesn't know")
    for what, wrong, expected in (
        ("a wrong secret", lambda: ask("wrong", scope), "invalid_client"),
        ("the right secret with more behind it", lambda: ask(f"{secret}&x=1", scope), "invalid_client"),
        ("a scope that the client doesn't have", lambda: ask(secret, "sessions:write"), "invalid_scope"),
        ("an unknown scope", lambda: ask(secret, "everything"), "invalid_scope"),
    ):
        try:
            answered = wrong()[1]
        except failure as error:
            if code_of(error) != expected:
                fail(f"{name} says {code_of(error)} of {what}, where {expected} is right")
        else:
            fail(f"{name} takes the answer to {what} for a token: {answered}")
    print(f"ok  {name} gets tokens, and says what is wrong where it gets none")
