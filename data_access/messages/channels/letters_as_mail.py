"""Build an email from an outgoing message: plain text and HTML, the same bytes every time."""

import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from data_access.messages.leases import Attachment, Outgoing
from program.messages import letters

POLICY = SMTP.clone(max_line_length=78)
FROM = re.compile("^From ", re.MULTILINE)
ENCODED = "=?"


def address_of(text: str) -> Address:
    """Return a validated address for headers, letters beyond ASCII included."""
    local, _, domain = text.rpartition("@")
    return Address(username=local, domain=domain)


def mail(outgoing: Outgoing, *, sender: Address, to: Address | None) -> EmailMessage:
    """Build the email; ``Message-ID`` and the boundary are derived from the row's id.

    The header classes refuse line breaks, so typed text cannot add a header.
    """
    made = EmailMessage(policy=POLICY)
    made["Message-ID"] = f"<{outgoing.message_id}@{sender.domain or 'localhost'}>"
    made["Date"] = format_datetime(outgoing.made_at)
    made["From"] = sender
    if to is not None:
        made["To"] = to
    _set_subject(made, outgoing.subject)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(outgoing.text, cte="quoted-printable")
    page = letters.as_html(outgoing.text) if outgoing.html is None else outgoing.html
    made.add_alternative(page, subtype="html", cte="quoted-printable")
    for part in made.iter_parts():
        # Encoded, because mailboxes that store such lines put ">" before them.
        part.set_payload(FROM.sub("=46rom ", str(part.get_payload())))
    made.set_boundary(f"={outgoing.message_id.hex}=")
    if outgoing.attachment is not None:
        _attach(made, outgoing.attachment, boundary=f"=_{outgoing.message_id.hex}_=")
    return made


def _attach(made: EmailMessage, file: Attachment, *, boundary: str) -> None:
    main, sub = file.media.partition(";")[0].split("/")
    made.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    made.set_boundary(boundary)


def _set_subject(made: EmailMessage, subject: str) -> None:
    if ENCODED not in subject:
        made["Subject"] = subject
        return
    # Text that looks encoded would be decoded unless it is encoded itself.
    made.set_raw("Subject", Header(subject, "utf-8", header_name="Subject").encode())
