"""An outgoing message as an e-mail: plain text and HTML, the same bytes at every try."""

import binascii
from collections.abc import Mapping
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from data_access.deliveries import Outgoing
from program import letters

POLICY = SMTP.clone(max_line_length=78)


def mail(
    outgoing: Outgoing,
    *,
    sender: Address,
    to: Address | None,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """The e-mail in ASCII; ``Message-ID`` follows from the row's id, and so does the boundary.

    What anybody typed goes through the headers' own classes, which refuse line breaks, so that
    nothing typed can add a header; ``more`` holds further ones. What is made here is written as
    it is: to have it read and folded would take most of a worker's time.
    """
    # Encoded text holds "=" only before two hexadecimal signs, so this stands nowhere in it.
    boundary = f"={outgoing.message_id.hex}="
    return "".join(
        (
            f"Message-ID: <{outgoing.message_id}@{sender.domain or 'localhost'}>\r\n",
            f"Date: {format_datetime(outgoing.made_at)}\r\n",
            _from(sender.display_name, sender.addr_spec),
            _header("To", to) if to is not None else "",
            _header("Subject", outgoing.subject),
            *(_header(name, value) for name, value in (more or {}).items()),
            "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n',
            _part(boundary, "plain", outgoing.text),
            _part(boundary, "html", letters.as_html(outgoing.text)),
            f"--{boundary}--\r\n",
        )
    ).encode("ascii")


def _header(name: str, value: str | Address) -> str:
    """The header's lines, encoded and folded. Raises ValueError for a line break."""
    kept = POLICY.header_store_parse(name, value)[1]
    lines: str = kept.fold(policy=POLICY)
    return lines


@lru_cache(maxsize=8)
def _from(name: str, address: str) -> str:
    return _header("From", Address(display_name=name, addr_spec=address))


def _part(boundary: str, subtype: str, text: str) -> str:
    encoded = binascii.b2a_qp(text.rstrip("\n").encode(), istext=True).decode("ascii")
    return (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + encoded.replace("\n", "\r\n")
        + "\r\n"
    )
