"""An outgoing message as an e-mail: plain text and HTML, the same bytes at every try."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from data_access.deliveries import Outgoing
from program import letters

POLICY = SMTP.clone(max_line_length=78)


def mail(outgoing: Outgoing, *, sender: Address, to: Address | None) -> EmailMessage:
    """The e-mail; ``Message-ID`` follows from the row's id, and so does the boundary.

    The headers' own classes refuse line breaks, so nothing typed can add a header.
    """
    made = EmailMessage(policy=POLICY)
    made["Message-ID"] = f"<{outgoing.message_id}@{sender.domain or 'localhost'}>"
    made["Date"] = format_datetime(outgoing.made_at)
    made["From"] = sender
    if to is not None:
        made["To"] = to
    made["Subject"] = outgoing.subject
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(outgoing.text, cte="quoted-printable")
    made.add_alternative(letters.as_html(outgoing.text), subtype="html", cte="quoted-printable")
    made.set_boundary(f"={outgoing.message_id.hex}=")
    return made
