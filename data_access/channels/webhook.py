"""Handing messages to the exchange's own endpoint: signed, never redirected, briefly listened to.

The headers are those of Standard Webhooks, so ready-made libraries can check the signature.
"""

import base64
import hashlib
import hmac
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from data_access.channels import LOOPBACK, NotTaken, Receipt, body_of, trusted
from data_access.deliveries import Failure, Outgoing
from data_access.refusals import SettingMissing
from program.delivery import Reason

LONGEST_ANSWER = 4_096
SHORTEST_SECRET = 24
LONGEST_ASKED_WAIT_S = 3600
# What a repeat cannot mend: the message itself was not understood.
FINAL = (400, 410, 413, 422)
SECRET_PREFIX = "whsec_"  # noqa: S105 - what marks one, not one


@dataclass(kw_only=True)
class Webhook:
    """One endpoint. Only hosts in ``allowed`` are ever spoken to."""

    url: str
    secret: bytes = field(repr=False)
    allowed: frozenset[str]
    timeout_s: float = 10.0
    trust: ssl.SSLContext | None = None
    _client: httpx.Client | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, environment: Mapping[str, str]) -> "Webhook":
        """As NOTIFY_WEBHOOK_* say. Raises SettingMissing, without repeating their values."""
        url = environment["NOTIFY_WEBHOOK_URL"]
        host = host_of(url)
        named = environment.get("NOTIFY_WEBHOOK_HOSTS", host)
        allowed = frozenset(name.strip().lower() for name in named.split(",") if name.strip())
        if host not in allowed:
            raise SettingMissing(
                "The host of NOTIFY_WEBHOOK_URL is not among NOTIFY_WEBHOOK_HOSTS. Correct either."
            )
        secret = environment.get("NOTIFY_WEBHOOK_SECRET", "")
        return cls(url=url, secret=secret_of(secret), allowed=allowed)

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:
        """Hand one message over. Raises NotTaken."""
        if host_of(self.url) not in self.allowed:
            raise NotTaken(_failure(Reason.NOT_SET_UP, "its host is not allowed", final=True))
        body = body_of(outgoing)
        headers = signed(self.secret, str(outgoing.message_id), now, body)
        until = time.monotonic() + self.timeout_s
        try:
            with self._connected().stream(
                "POST", self.url, content=body, headers=headers
            ) as answer:
                _read(answer, until)
                return _judged(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self.close()
            failure = _failure(Reason.UNREACHABLE, str(error) or "no connection in time")
            raise NotTaken(failure, is_down=True) from error
        except httpx.HTTPError as error:
            self.close()
            failure = _failure(Reason.NO_ANSWER, str(error) or "no answer in time")
            raise NotTaken(failure, is_down=True) from error

    def close(self) -> None:
        """End the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                verify=self.trust or trusted(),
                timeout=httpx.Timeout(self.timeout_s),
                follow_redirects=False,
                # Neither a proxy nor a password file of the environment has a say here.
                trust_env=False,
            )
        return self._client


def signed(secret: bytes, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers that say who sent it, when, and that nothing was changed since."""
    at = str(int(now.timestamp()))
    digest = hmac.new(secret, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "affiliate-review",
        "Idempotency-Key": message_id,
        "Webhook-Id": message_id,
        "Webhook-Timestamp": at,
        "Webhook-Signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def host_of(url: str) -> str:
    """The host, in small letters. Raises SettingMissing where none may be spoken to."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        host = ""
    secure = host and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
    if not secure or parts.username or parts.password or parts.fragment:
        raise SettingMissing(
            "NOTIFY_WEBHOOK_URL cannot be used. Write it as https://host/path, without a password."
        )
    return host


def secret_of(typed: str) -> bytes:
    """The signing key, given as it is or as ``whsec_`` and base64. Raises SettingMissing."""
    try:
        key = (
            base64.b64decode(typed.removeprefix(SECRET_PREFIX), validate=True)
            if typed.startswith(SECRET_PREFIX)
            else typed.encode()
        )
    except ValueError:
        key = b""
    if len(key) < SHORTEST_SECRET:
        raise SettingMissing(
            f"NOTIFY_WEBHOOK_SECRET must have at least {SHORTEST_SECRET} bytes. Make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    return key


def _read(answer: httpx.Response, until: float) -> None:
    """Hear the answer out, as far as it is short and comes soon; the rest is not waited for."""
    heard = 0
    # What it did is said by the status, which is here already.
    with suppress(httpx.HTTPError):
        for piece in answer.iter_raw(LONGEST_ANSWER):
            heard += len(piece)
            if heard >= LONGEST_ANSWER or time.monotonic() > until:
                return


def _judged(answer: httpx.Response) -> Receipt:
    code = answer.status_code
    if 200 <= code < 300:
        # 202 means: taken, and still to be passed on.
        done = code != httpx.codes.ACCEPTED
        return Receipt(said=f"The endpoint answered {code}.", delivered=done)
    if code in FINAL:
        raise NotTaken(_failure(Reason.REFUSED, f"it answered {code}", final=True))
    if 300 <= code < 400:
        raise NotTaken(_failure(Reason.BUSY, f"it answered {code}; redirects are not followed"))
    raise NotTaken(
        _failure(Reason.BUSY, f"it answered {code}", after=_asked_wait(answer)),
        is_down=code in (401, 403, 429, 502, 503, 504),
    )


def _asked_wait(answer: httpx.Response) -> timedelta | None:
    asked = answer.headers.get("retry-after", "")
    if not (asked.isascii() and asked.isdigit()) or len(asked) > 6:
        return None
    return timedelta(seconds=min(int(asked), LONGEST_ASKED_WAIT_S))


def _failure(
    reason: Reason, said: str, *, final: bool = False, after: timedelta | None = None
) -> Failure:
    return Failure(reason=reason, said=f"The endpoint: {said}", final=final, after=after)
