"""Named refusals. The text of each is the sentence that the person reads.

People in them are named, never by their addresses: see `data_access.people.staff.name_of`.
"""

from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import DBAPIError

from program import wording
from program.periods import utc_day
from program.policy.policy import Policy

# Where Postgres reports the errors that a function in PL/pgSQL raises.
RAISED_BY_FUNCTION = "exec_stmt_raise"


def constraint(error: DBAPIError) -> str | None:
    """Return the name of the violated constraint or unique index; ``None`` for other errors."""
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None


def lacks_rights(error: BaseException | None) -> bool:
    """Whether the server refused a right; our own triggers refuse with the same code."""
    if not isinstance(error, InsufficientPrivilege):
        return False
    return error.diag.source_function != RAISED_BY_FUNCTION


class Refusal(Exception):
    """The request was understood and is refused; the text says why and what to do.

    If one sentence is not enough, ``details`` holds lines and ``summary`` the sentence after them.
    """

    details: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The refusal in one line."""
        return str(self)


class NotAllowed(Refusal):
    """The actor's role, or having none, forbids the act."""


class ConflictOfInterest(NotAllowed):
    """The person may not decide about this applicant, whatever their role."""


class LastAdministrator(Refusal):
    """Without this person nobody could manage the staff."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the last active administrator. Make somebody else an administrator first."
        )


class NotFound(Refusal):
    """It does not exist, or not for this person."""


class Invalid(Refusal):
    """The input is not valid."""


class ExchangeInDoubt(Refusal):
    """The name may mean an exchange that was recorded under another name.

    ``doubts`` are those other names; all are typed text.
    """

    def __init__(self, name: str, doubts: tuple[str, ...]) -> None:
        self.name, self.doubts = name, doubts
        one_of = "one of them" if len(doubts) > 1 else "the same exchange"
        super().__init__(
            f"{wording.listed(doubts)} {'are' if len(doubts) > 1 else 'is'} recorded here already. "
            f"Say whether {name} is {one_of}; until then nothing is recorded."
        )


class NameTaken(Refusal):
    """The person already has a view with this name; ``version`` must be given to replace it."""

    def __init__(self, name: str, *, is_shared: bool, version: UUID) -> None:
        self.name, self.version = name, version
        note = " Colleagues see it too." if is_shared else ""
        super().__init__(
            f"You have a view “{name}” already.{note} Replace it, or choose another name."
        )


class RequestReused(Refusal):
    """A request id was reused with different content."""

    def __init__(self) -> None:
        super().__init__("This form was already sent with other content. Reload the page.")


class AlreadyDecided(Refusal):
    """The application has been decided or withdrawn."""

    def __init__(self, status: str, by: str | None, at: datetime | None) -> None:
        self.status, self.by, self.at = status, by, at
        who = f" by {by}" if by else ""
        when = f" at {at.astimezone(UTC):%H:%M} UTC on {wording.day(utc_day(at))}" if at else ""
        super().__init__(f"Already {status}{who}{when}. Your text is kept below.")


class NotInState(Refusal):
    """The application's status does not allow the act."""


class ClaimedByAnother(Refusal):
    """A colleague works on the application."""

    def __init__(self, by: str, until: datetime | None) -> None:
        self.by, self.until = by, until
        when = f" until {until.astimezone(UTC):%H:%M} UTC" if until else ""
        super().__init__(f"{by} works on this{when}. Take it over first; your text is kept.")


class SecondApprovalNeeded(Refusal):
    """The policy requires a second person for this decision."""


class ApprovalLapsed(Refusal):
    """The facts that the first person saw have changed, so their proposal expired."""


class DataChanged(Refusal):
    """The facts behind a decision changed after the page was drawn.

    ``changes`` holds (what, shown, now) in words.
    """

    def __init__(self, changes: tuple[tuple[str, str, str], ...]) -> None:
        self.changes = changes
        listed = "; ".join(f"{what}: {shown} is now {now}" for what, shown, now in changes)
        super().__init__(
            f"The facts changed since this page was shown ({listed}). "
            "Review it and decide again; your text is kept."
        )


class FiguresMoved(DataChanged):
    """Figures moved since the page was drawn but no result changed: review and confirm."""

    def __init__(self, moved: tuple[tuple[str, str, str], ...]) -> None:
        super().__init__(moved)
        listed = "; ".join(f"{what} {old} → {new}" for what, old, new in moved)
        way_on = "Look at the new figures and press again; your text is kept."
        self.args = (f"Moved since you looked: {listed}. No result changed. {way_on}",)


class NeedsConfirming(Refusal):
    """The act affects the past: ``effect`` must be confirmed; the text describes it."""

    def __init__(self, sentence: str, effect: object) -> None:
        super().__init__(sentence)
        self.effect = effect


class Contradictory(Refusal):
    """A draft of the policy contradicts itself, or cannot take effect as planned."""

    def __init__(self, details: tuple[str, ...]) -> None:
        self.details = details
        super().__init__(" ".join(details))


class BaseMoved(Refusal):
    """The version in force when the draft starts is not the one it is based on.

    ``newest`` is the version in force then, published ``by`` this person.
    """

    def __init__(self, base_version: int, newest: Policy, *, by: str) -> None:
        self.newest = newest
        if newest.version > base_version:
            self.moved = (
                f"{by} published version {newest.version} since this draft was started "
                f"from version {base_version}."
            )
        else:
            self.moved = (
                f"This draft is based on version {base_version}, but version {newest.version} is "
                "in force when it would take effect."
            )
        super().__init__(f"{self.moved} Review that version and start from it; your draft is kept.")


class SettingMissing(Refusal):
    """An environment setting is missing or malformed."""


class DatabaseUnavailable(Refusal):
    """Postgres does not respond."""


class DatabaseRefused(DatabaseUnavailable):
    """Postgres refuses the connection, and will until a setting is corrected."""


class Busy(DatabaseUnavailable):
    """Another transaction is changing the same rows."""


class SchemaOutdated(DatabaseUnavailable):
    """The database was never migrated, or not since the program was updated."""

    def __init__(self) -> None:
        super().__init__(
            "The database's schema is missing or older than this program. "
            "Run `python -m data_access migrate`."
        )


class RightsMissing(DatabaseRefused):
    """The database refuses this program's login a right that it needs."""

    def __init__(self) -> None:
        super().__init__(
            "The database does not give this program's login the rights that it needs. An "
            "administrator runs `python -m data_access privileges` with the owner's login."
        )


class DatabaseNotEmpty(Refusal):
    """The demo is loaded into an empty database only."""


class AlreadyMoved(Refusal):
    """An affiliate's standing has changed since it was shown."""

    def __init__(self, standing: str, by: str | None, at: datetime | None) -> None:
        self.standing, self.by, self.at = standing, by, at
        who = f" by {by}" if by else ""
        when = f" at {at.astimezone(UTC):%H:%M} UTC on {wording.day(utc_day(at))}" if at else ""
        super().__init__(f"Already {standing}{who}{when}. Review it again; your text is kept.")


class Outdated(Refusal):
    """Another version was saved since the form was drawn."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody saved another version since this form was shown. "
            "Reload the page, look at it, and enter your change again."
        )
