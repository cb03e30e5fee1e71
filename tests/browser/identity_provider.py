"""An OpenID Connect provider on loopback that signs everybody in as a given person."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "affiliate-review", "a-secret-for-tests"
SECRETS = """
[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "Jq7vTz2LkWm5RbXc9NdYf4HsGp8AoEu3"
client_id = "{client_id}"
client_secret = "{client_secret}"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""


def write_secrets(
    home: Path, address: str, issuer: str, *, client_secret: str = CLIENT_SECRET, more: str = ""
) -> None:
    """Write the file by which a dashboard at ``address`` lets the people of ``issuer`` sign in."""
    (home / ".streamlit").mkdir(exist_ok=True)
    written = SECRETS.format(
        address=address, client_id=CLIENT_ID, client_secret=client_secret, issuer=issuer
    )
    (home / ".streamlit" / "secrets.toml").write_text(written + more)


@dataclass
class IdentityProvider:
    """Serves the authorization code flow with ``claims`` about the person."""

    port: int
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "test"}))
    codes: dict[str, str | None] = field(default_factory=dict)
    # The scopes asked for, and the sign-outs that came here; ``ends_sessions`` offers the latter.
    scopes: list[str] = field(default_factory=list)
    sign_outs: list[dict[str, str]] = field(default_factory=list)
    ends_sessions: bool = False
    # What happens while the browser is here.
    meanwhile: Callable[[], None] = lambda: None

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def __enter__(self) -> "IdentityProvider":
        routes = [
            Route("/.well-known/openid-configuration", self.configuration),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/jwks", self.keys),
            Route("/end", self.end),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=self.port, log_level="error"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)

    def configuration(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                **({"end_session_endpoint": f"{self.issuer}/end"} if self.ends_sessions else {}),
            }
        )

    def authorize(self, request: Request) -> Response:
        query = request.query_params
        code = secrets.token_urlsafe(16)
        self.codes[code] = query.get("nonce")
        self.scopes.append(query["scope"])
        self.meanwhile()
        assert query["code_challenge_method"] == "S256"
        answer = urlencode({"code": code, "state": query["state"]})
        return RedirectResponse(f"{query['redirect_uri']}?{answer}")

    async def token(self, request: Request) -> Response:
        form = await request.form()
        nonce = self.codes.pop(str(form["code"]))
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": "test"}, claims, self.key)
        return JSONResponse(
            {"access_token": "unused", "token_type": "Bearer", "id_token": token, "expires_in": 300}
        )

    def end(self, request: Request) -> Response:
        self.sign_outs.append(dict(request.query_params))
        return RedirectResponse(request.query_params["post_logout_redirect_uri"])

    def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})
