"""Send messages to a mail server by SMTP, with encryption and login if configured."""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from data_access.db.errors import SettingMissing
from data_access.messages.channels import LOOPBACK, NotTaken, Receipt, trusted
from data_access.messages.channels.exchanges import Exchanges
from data_access.messages.channels.letters_as_mail import POLICY, address_of, mail
from data_access.messages.leases import Failure, Outgoing
from program.messages import letters
from program.messages.delivery import Reason

HOW = (
    "Write it as smtp://user:password@host:587?from=team@example.com (STARTTLS) or smtps://… "
    "(TLS from the start); signs such as @ in a password as %40."
)
MOST_BY_CONNECTION = 100
# Options for addresses with letters beyond ASCII before the @.
BEYOND_ASCII = ("SMTPUTF8", "BODY=8BITMIME")
IDLE_S = 5.0


@dataclass(kw_only=True)
class MailServer:
    """One mail server. Without ``is_encrypted``, only one on this computer is used."""

    host: str
    port: int
    sender: Address
    user: str = ""
    password: str = field(default="", repr=False)
    tls_from_start: bool = False
    is_encrypted: bool = True
    # The deadline for a delivery, including the connection.
    timeout_s: float = 20.0
    trust: ssl.SSLContext | None = None
    _exchanges: Exchanges = field(default_factory=Exchanges, repr=False)
    _client: aiosmtplib.SMTP | None = field(default=None, repr=False)
    _is_connected: bool = False
    _used: int = 0
    _last_used: float = 0.0

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        """Parse SMTP_URL. Raises SettingMissing, without repeating what may be a password."""
        try:
            parts = urlsplit(url.strip())
            host, port, query = parts.hostname, parts.port, parse_qs(parts.query)
            address = letters.address(query.get("from", [""])[0])
            name = letters.harmless_line(query.get("name", ["Affiliate program"])[0])
        except (ValueError, letters.Unsendable):
            raise SettingMissing(f"SMTP_URL cannot be used. {HOW}") from None
        if not address.isascii():
            raise SettingMissing(
                "SMTP_URL names a sender with letters beyond ASCII before the @, which many "
                "servers do not take. Write another address after from=."
            )
        if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/"):
            raise SettingMissing(f"SMTP_URL is not the address of a mail server. {HOW}")
        at_once = parts.scheme == "smtps"
        return cls(
            host=host,
            port=port or (465 if at_once else 587),
            sender=Address(display_name=name, addr_spec=address),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls_from_start=at_once,
            # A server on this computer may go without; to any other, nothing is sent unencrypted.
            is_encrypted=at_once or host not in LOOPBACK,
        )

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:  # noqa: ARG002 - as every channel
        """Send one message within ``timeout_s``. Raises NotTaken."""
        made = mail(outgoing, sender=self.sender, to=address_of(outgoing.to))
        self._is_connected = False
        try:
            self._exchanges.run(lambda: self._hand_over(made, outgoing.to), seconds=self.timeout_s)
        except (aiosmtplib.SMTPException, OSError) as error:
            not_taken = self._understood(error, outgoing.to)
            if not_taken.is_down:
                self.close()
            raise not_taken from error
        self._used += 1
        self._last_used = time.monotonic()
        return Receipt(sentence="The mail server accepted it.")

    def close(self) -> None:
        """Close the connection, if there is one."""
        client, self._client, self._used = self._client, None, 0
        if client is not None and isinstance(client.transport, asyncio.WriteTransport):
            client.transport.abort()
        self._exchanges.close()

    async def _hand_over(self, made: EmailMessage, to: str) -> None:
        client = await self._connected()
        self._is_connected = True
        options = () if to.isascii() else BEYOND_ASCII
        # The exact bytes: a client that rewrites a message may change it, as lines with "From ".
        content = made.as_bytes(policy=POLICY.clone(utf8=not to.isascii()))
        await client.sendmail(self.sender.addr_spec, [to], content, mail_options=options)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and not await self._is_fresh(self._client):
            self._client.close()
            self._client = None
        if self._client is None:
            self._client, self._used = self._new_client(), 0
            await self._client.connect()
        return self._client

    async def _is_fresh(self, client: aiosmtplib.SMTP) -> bool:
        # Servers close connections that are idle or heavily used; noticing that midway would look
        # as if the message might have been accepted.
        if self._used >= MOST_BY_CONNECTION or not client.is_connected:
            return False
        if time.monotonic() - self._last_used < IDLE_S:
            return True
        try:
            return (await client.noop()).code == 250
        except (aiosmtplib.SMTPException, OSError):
            return False

    def _new_client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=self.sender.domain,
            use_tls=self.tls_from_start,
            start_tls=self.is_encrypted and not self.tls_from_start,
            tls_context=self.trust or trusted(),
            username=self.user or None,
            password=self.password or None,
            # One deadline covers the whole exchange.
            timeout=None,
        )

    def _understood(self, error: Exception, to: str) -> NotTaken:
        """Return what an error means for the message: refused, or unconfirmed."""
        if not self._is_connected:
            sentence = f"The mail server: {self._words_for(error)}"
            return NotTaken(Failure(reason=Reason.UNREACHABLE, sentence=sentence), is_down=True)
        match error:
            case aiosmtplib.SMTPNotSupported():
                return _cannot_take(to)
            case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
                return _refused(first.code, first.message)
            case aiosmtplib.SMTPDataError():
                return _refused(error.code, error.message)
            case aiosmtplib.SMTPResponseException():
                # The sender or the session is refused, so every other message would be too.
                sentence = f"The mail server: {self._words_for(error)}"
                return NotTaken(Failure(reason=Reason.BUSY, sentence=sentence), is_down=True)
        sentence = f"The mail server stopped responding: {self._words_for(error)}"
        return NotTaken(Failure(reason=Reason.NO_ANSWER, sentence=sentence), is_down=True)

    def _words_for(self, error: Exception) -> str:
        """Return the text of an error: the server's words, never what was sent to it."""
        match error:
            case aiosmtplib.SMTPAuthenticationError():
                return f"the login was refused ({error.code})"
            case TimeoutError():
                return f"timed out, no answer within {self.timeout_s:g} seconds"
            case aiosmtplib.SMTPResponseException():
                return f"it answered {error.code}: {error.message}"
        return str(error) or type(error).__name__


def _cannot_take(to: str) -> NotTaken:
    sentence = (
        f"The mail server takes no addresses with letters beyond ASCII before the @ (SMTPUTF8), "
        f"as in {letters.shown(to)}."
    )
    return NotTaken(Failure(reason=Reason.BAD_CONTACT, sentence=sentence, final=True))


def _refused(code: int, sentence: str) -> NotTaken:
    final = 500 <= code < 600
    reason = Reason.REFUSED if final else Reason.BUSY
    return NotTaken(
        Failure(reason=reason, sentence=f"The mail server answered {code}: {sentence}", final=final)
    )
