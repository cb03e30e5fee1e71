"""A folder instead of a receiver, for trials: every message becomes an ``.eml`` file."""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from pathlib import Path

from data_access.messages.channels import NotTaken, Receipt
from data_access.messages.channels.letters_as_mail import POLICY, address_of, mail
from data_access.messages.leases import Failure, Outgoing
from program.messages.delivery import Reason, Route

SENDER = Address(display_name="Affiliate program", addr_spec="affiliates@localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """Accepts messages of any route; a message written again replaces its file."""

    folder: Path

    def send(self, outgoing: Outgoing, *, now: datetime) -> Receipt:  # noqa: ARG002 - as every channel
        """Write one message completely or not at all. Raises NotTaken if there is no space."""
        to = address_of(outgoing.to) if outgoing.route is Route.EMAIL else None
        made = mail(outgoing, sender=SENDER, to=to)
        if to is None:
            contact = outgoing.payload["contact"]
            made["X-Contact-Platform"] = contact["platform"]
            made["X-Contact-Handle"] = contact["handle"]
        is_plain = outgoing.route is not Route.EMAIL or outgoing.to.isascii()
        name = f"{outgoing.made_at:%Y%m%d-%H%M%S}-{outgoing.message_id}.eml"
        try:
            self._keep(name, made.as_bytes(policy=POLICY.clone(utf8=not is_plain)))
        except OSError as error:
            sentence = f"The folder {self.folder} cannot be written: {error.strerror}"
            raise NotTaken(
                Failure(reason=Reason.UNREACHABLE, sentence=sentence), is_down=True
            ) from error
        return Receipt(sentence=f"Written to {name}.", delivered=False)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _keep(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self.folder / f".{name}"
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, self.folder / name)
        except OSError:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
