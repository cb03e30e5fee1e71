"""Handing messages to a mail server by SMTP, encrypted and signed in where that is set."""

import smtplib
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from urllib.parse import parse_qs, unquote, urlsplit

from data_access.channels import LOOPBACK, NotTaken, Receipt, trusted
from data_access.channels.letters_as_mail import mail
from data_access.deliveries import Failure, Outgoing
from data_access.refusals import SettingMissing
from program import letters
from program.delivery import Reason

HOW = (
    "Write it as smtp://user:password@host:587?from=team@example.com (STARTTLS) or smtps://… "
    "(TLS from the start); signs such as @ in a password as %40."
)
MOST_BY_CONNECTION = 100
IDLE_S = 5.0


@dataclass(kw_only=True)
class MailServer:
    """One mail server. Without ``is_encrypted`` only one on this computer is spoken to."""

    host: str
    port: int
    sender: Address
    user: str = ""
    password: str = field(default="", repr=False)
    tls_from_start: bool = False
    is_encrypted: bool = True
    timeout_s: float = 10.0
    trust: ssl.SSLContext | None = None
    _client: smtplib.SMTP | None = field(default=None, repr=False)
    _used: int = 0
    _last_used: float = 0.0

    @classmethod
    def from_url(cls, url: str) -> "MailServer":
        """As SMTP_URL says. Raises SettingMissing, without repeating what may be a password."""
        try:
            parts = urlsplit(url)
            host, port, query = parts.hostname, parts.port, parse_qs(parts.query)
            address = letters.address(query.get("from", [""])[0])
            name = letters.harmless_line(query.get("name", ["Affiliate program"])[0])
        except (ValueError, letters.Unsendable):
            raise SettingMissing(f"SMTP_URL cannot be used. {HOW}") from None
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
            # A server on this computer may do without; to any other nothing goes in the open.
            is_encrypted=at_once or host not in LOOPBACK,
        )

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:  # noqa: ARG002 - as every channel
        """Hand one message over. Raises NotTaken."""
        made = mail(outgoing, sender=self.sender, to=Address(addr_spec=outgoing.to))
        client = self._connected()
        try:
            client.sendmail(self.sender.addr_spec, [outgoing.to], made)
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = next(iter(refused.recipients.values()))
            raise _refused(code, said) from refused
        except smtplib.SMTPDataError as refused:
            raise _refused(refused.smtp_code, refused.smtp_error) from refused
        except smtplib.SMTPResponseException as refused:
            # The sender or the session is refused, and so would every other message be.
            self.close()
            raise NotTaken(
                Failure(reason=Reason.BUSY, said=f"The mail server: {_said(refused)}"),
                is_down=True,
            ) from refused
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise NotTaken(
                Failure(
                    reason=Reason.NO_ANSWER, said=f"The mail server fell silent: {_said(error)}"
                ),
                is_down=True,
            ) from error
        self._used += 1
        self._last_used = time.monotonic()
        return Receipt(said="The mail server took it.")

    def close(self) -> None:
        """End the connection, if there is one."""
        client, self._client, self._used = self._client, None, 0
        if client is not None:
            client.close()

    def _connected(self) -> smtplib.SMTP:
        if self._client is not None and not self._is_fresh(self._client):
            self.close()
        if self._client is None:
            try:
                self._client = self._connect()
            except (smtplib.SMTPException, OSError) as error:
                raise NotTaken(
                    Failure(reason=Reason.UNREACHABLE, said=f"The mail server: {_said(error)}"),
                    is_down=True,
                ) from error
        return self._client

    def _is_fresh(self, client: smtplib.SMTP) -> bool:
        # Servers end connections that idle or carry much; finding out midway would look as if
        # the message might have been taken.
        if self._used >= MOST_BY_CONNECTION:
            return False
        if time.monotonic() - self._last_used < IDLE_S:
            return True
        try:
            return client.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _connect(self) -> smtplib.SMTP:
        name = self.sender.domain
        trust = self.trust or trusted()
        client: smtplib.SMTP
        if self.tls_from_start:
            client = smtplib.SMTP_SSL(
                self.host, self.port, name, timeout=self.timeout_s, context=trust
            )
        else:
            client = smtplib.SMTP(self.host, self.port, name, timeout=self.timeout_s)
        try:
            if self.is_encrypted and not self.tls_from_start:
                client.starttls(context=trust)
            if self.user:
                client.login(self.user, self.password)
        except BaseException:
            client.close()
            raise
        return client


def _refused(code: int, said: bytes | str) -> NotTaken:
    final = 500 <= code < 600
    reason = Reason.REFUSED if final else Reason.BUSY
    return NotTaken(
        Failure(reason=reason, said=f"The mail server answered {code}: {_words(said)}", final=final)
    )


def _said(error: Exception) -> str:
    """What to tell of an error: the server's words where it spoke, never what was sent to it."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the login was refused ({error.smtp_code})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}: {_words(error.smtp_error)}"
    return str(error) or type(error).__name__


def _words(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
