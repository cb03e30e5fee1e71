"""An outgoing message as an e-mail: plain text and HTML, the same bytes at every try."""

import binascii
from email.headerregistry import Address
from email.message import Message
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from data_access.deliveries import Outgoing
from program import letters

POLICY = SMTP.clone(max_line_length=78)


def mail(outgoing: Outgoing, *, sender: Address, to: Address | None) -> Message:
    """The e-mail; ``Message-ID`` follows from the row's id, and so does the boundary.

    What anybody typed goes through the headers' own classes, which refuse line breaks, so that
    nothing typed can add a header. What is made here is written as it is: reading and folding
    it would take most of a worker's time.
    """
    made = Message()
    made["Message-ID"] = f"<{outgoing.message_id}@{sender.domain or 'localhost'}>"
    made["Date"] = format_datetime(outgoing.made_at)
    made["From"] = _from(sender.display_name, sender.addr_spec)
    if to is not None:
        made["To"] = header("To", to)
    made["Subject"] = header("Subject", outgoing.subject)
    made["Auto-Submitted"] = "auto-generated"
    made["MIME-Version"] = "1.0"
    boundary = f"={outgoing.message_id.hex}="
    made["Content-Type"] = f'multipart/alternative; boundary="{boundary}"'
    made.attach(_part("plain", outgoing.text))
    made.attach(_part("html", letters.as_html(outgoing.text)))
    return made


def as_bytes(made: Message) -> bytes:
    """How it goes over the line: ASCII, lines ended as mail ends them."""
    return made.as_bytes(policy=POLICY)


def header(name: str, value: str | Address) -> str:
    """The header's value, encoded when it is written. Raises ValueError for a line break."""
    found: str = POLICY.header_store_parse(name, value)[1]
    return found


@lru_cache(maxsize=8)
def _from(name: str, address: str) -> str:
    return header("From", Address(display_name=name, addr_spec=address))


def _part(subtype: str, text: str) -> Message:
    part = Message()
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    ended = text if text.endswith("\n") else f"{text}\n"
    part.set_payload(binascii.b2a_qp(ended.encode(), istext=True).decode("ascii"))
    return part
