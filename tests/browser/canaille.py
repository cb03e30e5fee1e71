"""Canaille, an OpenID Connect provider that others wrote, with its own sign-in form.

It never says whether an address is verified, as providers of one organization do.

``python -m tests.browser.canaille PORT DASHBOARD`` serves it on loopback, with one client, the
dashboard at that address, and one person.
"""

import os
import sys
from datetime import UTC, datetime

from tests.browser.identity_provider import CLIENT_ID, CLIENT_SECRET

USER, PASSWORD = "cora", "a-password-for-tests"
EMAIL, NAME = "cora@exchange.example", "Cora Lind"


def main(port: int, dashboard: str) -> None:
    # Otherwise the library refuses tokens without HTTPS.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from joserfc.jwk import JWKRegistry
    from werkzeug.serving import make_server

    key = JWKRegistry.generate_key("RSA", 2048)
    key.ensure_kid()
    app = create_app(
        config={
            "SECRET_KEY": "a-secret-of-the-provider-for-tests",
            "PREFERRED_URL_SCHEME": "http",
            "SERVER_NAME": f"localhost:{port}",
            "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)]},
        }
    )
    with app.app_context():
        now = datetime.now(UTC)
        person = models.User(
            formatted_name=NAME,
            family_name="Lind",
            user_name=USER,
            emails=[EMAIL],
            password=PASSWORD,
        )
        client = models.Client(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            client_id_issued_at=now,
            client_name="Affiliate Review",
            client_uri=dashboard,
            redirect_uris=[f"{dashboard}/oauth2callback"],
            post_logout_redirect_uris=[f"{dashboard}/oauth2callback"],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "email"],
            token_endpoint_auth_method="client_secret_basic",
        )
        Backend.instance.save(person)
        Backend.instance.save(client)
        # Only what is stored can be an audience; without one it refuses the id token at sign-outs.
        client.audience = [client]
        Backend.instance.save(client)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
