"""Send messages to the exchange's endpoint: signed, without redirects, reading little.

The headers are those of Standard Webhooks, so existing libraries can verify the signature.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from data_access.db.errors import SettingMissing
from data_access.messages.channels import LOOPBACK, NotTaken, Receipt, body_of, hosts, trusted
from data_access.messages.channels.exchanges import Exchanges
from data_access.messages.leases import Failure, Outgoing
from program.messages.delivery import Reason

LONGEST_ANSWER = 4_096
LONGEST_HOST, LONGEST_LABEL = 253, 63
SHORTEST_SECRET = 24
LONGEST_ASKED_WAIT_S = 3600
# Retrying cannot help: the endpoint did not understand the message.
FINAL = (400, 410, 413, 422)
SECRET_PREFIX = "whsec_"  # noqa: S105 - what marks one, not one
SCHEME = "v1,"
ASYMMETRIC = ("whsk_", "whpk_")
URL_SAFE = str.maketrans("-_", "+/")
# The status is enough; the body of a response is hardly read.
LISTEN_S = 1.0
HOW_TO_MAKE_ONE = (
    "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'` "
    "and give it to the endpoint as well."
)


@dataclass(kw_only=True)
class Webhook:
    """One endpoint. Only hosts in ``allowed`` are contacted."""

    url: str
    secret: bytes = field(repr=False)
    allowed: frozenset[str]
    # The deadline for an exchange, including connection and response.
    timeout_s: float = 10.0
    trust: ssl.SSLContext | None = None
    _exchanges: Exchanges = field(default_factory=Exchanges, repr=False)
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, environment: Mapping[str, str]) -> "Webhook":
        """Parse NOTIFY_WEBHOOK_*. Raises SettingMissing, without repeating their values."""
        url = environment["NOTIFY_WEBHOOK_URL"].strip()
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
        """Send one message. Raises NotTaken."""
        if host_of(self.url) not in self.allowed:
            raise NotTaken(_failure(Reason.NOT_SET_UP, "its host is not allowed", final=True))
        body = body_of(outgoing)
        headers = signed(self.secret, str(outgoing.message_id), now, body)
        try:
            answer = self._exchanges.run(
                lambda: self._posted(body, headers), seconds=self.timeout_s
            )
        except hosts.NotAReceiver as refusal:
            raise NotTaken(_failure(Reason.NOT_SET_UP, str(refusal)), is_down=True) from refusal
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self.close()
            failure = _failure(Reason.UNREACHABLE, str(error) or "no connection in time")
            raise NotTaken(failure, is_down=True) from error
        except (httpx.HTTPError, TimeoutError) as error:
            self.close()
            failure = _failure(Reason.NO_ANSWER, str(error) or "no answer in time")
            raise NotTaken(failure, is_down=True) from error
        return _judged(answer, now)

    async def _posted(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Return the response, whose body is read only if it is short and fast."""
        began = time.monotonic()
        answer = await self._handed_over(body, headers)
        left = self.timeout_s - (time.monotonic() - began)
        # The status is known already; the rest of the body is not waited for.
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(min(LISTEN_S, left / 2)):
                await _heard_out(answer)
        await answer.aclose()
        return answer

    async def _handed_over(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Post to the first address of the host, resolved now, that accepts a connection."""
        client, url = self._connected(), httpx.URL(self.url)
        named = {**headers, "Host": url.netloc.decode("ascii")}
        port = url.port or (443 if url.scheme == "https" else 80)
        refused: httpx.ConnectError | None = None
        for address in await self._addresses(url.host, port):
            request = client.build_request(
                *("POST", url.copy_with(host=address)),
                content=body,
                headers=named,
                # The certificate is checked against the name.
                extensions={"sni_hostname": url.host},
            )
            try:
                return await client.send(request, stream=True)
            except httpx.ConnectError as error:
                refused = error
        raise refused or httpx.ConnectError("its name is not known")

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return await hosts.addresses(host, port)
        except OSError as error:
            raise httpx.ConnectError("its name is not known") from error

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(TimeoutError):
                self._exchanges.run(client.aclose, seconds=LISTEN_S)
        self._exchanges.close()

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self.trust or trusted(),
                # One deadline covers the whole exchange; connecting may take half of it.
                timeout=httpx.Timeout(None, connect=self.timeout_s / 2),
                follow_redirects=False,
                # Ignore proxies and password files of the environment.
                trust_env=False,
            )
        return self._client


def signed(secret: bytes, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that authenticate sender, time and content."""
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
    """Return the host in lower case. Raises SettingMissing if it is not allowed."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        host = ""
    resolvable = _resolvable_host(url) if host else ""
    try:
        hosts.require(host)
        hosts.require(resolvable)
    except hosts.NotAReceiver as refusal:
        raise SettingMissing(
            f"NOTIFY_WEBHOOK_URL points to an address that no endpoint has: {refusal}. "
            "Write the host name of the endpoint's server."
        ) from None
    secure = resolvable and (
        parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    )
    plain = url.isprintable() and " " not in url and "@" not in parts.netloc if host else False
    if not secure or not plain or parts.fragment:
        raise SettingMissing(
            "NOTIFY_WEBHOOK_URL cannot be used. Write it as https://host/path, without a password."
        )
    return host


def _resolvable_host(url: str) -> str:
    """Return the host in ASCII, as it is resolved; "" if it is not a valid name."""
    try:
        name = httpx.URL(url).raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return ""
    labels = name.rstrip(".").split(".")
    fits = len(name) <= LONGEST_HOST and all(0 < len(part) <= LONGEST_LABEL for part in labels)
    return name if fits or ":" in name else ""


def secret_of(typed: str) -> bytes:
    """Return the signing key, given plain or as ``whsec_`` and base64. Raises SettingMissing.

    The base64 may use either alphabet, with or without padding, and contain line breaks; some
    consoles show it with a scheme in front, as in ``v1,whsec_``.
    """
    text = typed.strip()
    if not text:
        raise SettingMissing(f"NOTIFY_WEBHOOK_SECRET is not set. {HOW_TO_MAKE_ONE}")
    marked = text.removeprefix(SCHEME)
    if marked.startswith(SECRET_PREFIX):
        key = _decoded(marked.removeprefix(SECRET_PREFIX))
    else:
        key = _as_it_is(text)
    if len(key) < SHORTEST_SECRET:
        what = "in base64 that decodes to" if marked.startswith(SECRET_PREFIX) else "with"
        raise SettingMissing(
            f"NOTIFY_WEBHOOK_SECRET is too short: {what} {len(key)} bytes, and at least "
            f"{SHORTEST_SECRET} are needed. {HOW_TO_MAKE_ONE}"
        )
    return key


def _decoded(encoded: str) -> bytes:
    if SECRET_PREFIX in encoded:
        raise SettingMissing(
            "NOTIFY_WEBHOOK_SECRET holds more than one secret. Set the one the endpoint checks."
        )
    letters = "".join(encoded.split()).rstrip("=").translate(URL_SAFE)
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except ValueError:
        raise SettingMissing(
            f"NOTIFY_WEBHOOK_SECRET has something after {SECRET_PREFIX} that is not base64, or a "
            "part of it is missing. Copy it whole, without quotation marks."
        ) from None


def _as_it_is(text: str) -> bytes:
    if SECRET_PREFIX in text:
        raise SettingMissing(
            f"NOTIFY_WEBHOOK_SECRET has something before {SECRET_PREFIX}, such as a quotation "
            f"mark. Begin it with {SECRET_PREFIX}."
        )
    if text.startswith(ASYMMETRIC):
        raise SettingMissing(
            "NOTIFY_WEBHOOK_SECRET is one of a pair of keys; messages are signed with a secret "
            f"that both sides know. {HOW_TO_MAKE_ONE}"
        )
    if any(not sign.isprintable() for sign in text):
        raise SettingMissing(
            "NOTIFY_WEBHOOK_SECRET has a line's end or another invisible character inside. "
            "Set it as one line."
        )
    return text.encode()


async def _heard_out(answer: httpx.Response) -> None:
    heard = 0
    # Raw pieces: a fixed size would wait until the first piece is full.
    async for piece in answer.aiter_raw():
        heard += len(piece)
        if heard >= LONGEST_ANSWER:
            return


def _judged(answer: httpx.Response, now: datetime) -> Receipt:
    code = answer.status_code
    if 200 <= code < 300:
        # 202 means accepted, to be passed on.
        done = code != httpx.codes.ACCEPTED
        return Receipt(sentence=f"The endpoint answered {code}.", delivered=done)
    if code in FINAL:
        raise NotTaken(_failure(Reason.REFUSED, f"it answered {code}", final=True))
    if 300 <= code < 400:
        raise NotTaken(_failure(Reason.BUSY, f"it answered {code}; redirects are not followed"))
    raise NotTaken(
        _failure(
            Reason.BUSY,
            f"it answered {code}",
            after=requested_wait(answer.headers.get("retry-after", ""), now),
        ),
        is_down=code in (401, 403, 429, 502, 503, 504),
    )


def requested_wait(header: str, now: datetime) -> timedelta | None:
    """Return the wait in ``Retry-After``, in seconds or as a date, at most an hour.

    ``None`` if there is none, or it cannot be parsed.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Of many digits, only their number matters.
        seconds = float(int(text[:9]) if len(text.lstrip("0")) <= 9 else LONGEST_ASKED_WAIT_S)
    else:
        until = _http_date(text)
        seconds = (until - now).total_seconds() if until else 0.0
    return timedelta(seconds=min(seconds, LONGEST_ASKED_WAIT_S)) if seconds > 0 else None


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    # HTTP dates are in UTC, and one of their three formats does not say so.
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _failure(
    reason: Reason, sentence: str, *, final: bool = False, after: timedelta | None = None
) -> Failure:
    return Failure(reason=reason, sentence=f"The endpoint: {sentence}", final=final, after=after)
