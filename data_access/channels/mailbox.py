"""A folder instead of a receiver: every message becomes an ``.eml`` file. For trying out."""

import os
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from pathlib import Path

from data_access.channels import Receipt
from data_access.channels.letters_as_mail import mail
from data_access.deliveries import Outgoing
from program.delivery import Route

SENDER = Address(display_name="Affiliate program", addr_spec="affiliates@localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """Takes what would go by any route; a message written again replaces its file."""

    folder: Path

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:  # noqa: ARG002 - as every channel
        """Write one message; whole, or not at all."""
        contact = outgoing.payload["contact"]
        more = {
            "X-Contact-Platform": contact["platform"],
            "X-Contact-Handle": contact["handle"],
        }
        by_email = outgoing.route is Route.EMAIL
        made = mail(
            outgoing,
            sender=SENDER,
            to=Address(addr_spec=outgoing.to) if by_email else None,
            more={} if by_email else more,
        )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{outgoing.made_at:%Y%m%d-%H%M%S}-{outgoing.message_id}.eml"
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(made)
        os.replace(unfinished, self.folder / name)
        return Receipt(said=f"Written to {name}.", delivered=False)

    def close(self) -> None:
        """Nothing is held open."""
