"""Calls of one Authlib session at an issuer, in order: {issuer, settings, calls: [[name, arguments]]} as JSON on standard
input, [result, …] as JSON on standard output. What Authlib raises is the result {error, description}."""

import json
import sys

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebToken
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url

asked = json.load(sys.stdin)
session = OAuth2Session(**asked["settings"])
url = get_well_known_url(asked["issuer"], external=True)
metadata = OpenIDProviderMetadata(session.get(url, withhold_token=True).json())


def discover():
    metadata.validate()
    return dict(metadata)


def authorize(**named):
    return session.create_authorization_url(metadata["authorization_endpoint"], **named)[0]


def fetch(**named):
    return session.fetch_token(metadata["token_endpoint"], **named)


def refresh(refresh_token):
    return session.refresh_token(metadata["token_endpoint"], refresh_token=refresh_token)


def id_token(token, nonce):
    keys = session.get(metadata["jwks_uri"], withhold_token=True).json()
    claims = JsonWebToken(metadata["id_token_signing_alg_values_supported"]).decode(
        token["id_token"],
        keys,
        claims_cls=CodeIDToken,
        claims_options={"iss": {"essential": True, "value": metadata["issuer"]}},
        claims_params={"client_id": session.client_id, "nonce": nonce, "access_token": token["access_token"]},
    )
    claims.validate()
    return dict(claims)


def userinfo(token):
    session.token = token
    return session.get(metadata["userinfo_endpoint"]).json()


def introspect(token):
    return session.introspect_token(metadata["introspection_endpoint"], token=token).json()


def revoke(token):
    return session.revoke_token(metadata["revocation_endpoint"], token=token).status_code


def result_of(name, arguments):
    try:
        return globals()[name](**arguments)
    except AuthlibBaseError as error:
        return {"error": error.error, "description": error.description}


json.dump([result_of(name, arguments) for name, arguments in asked["calls"]], sys.stdout)
