"""Named refusals. Each one's text is the sentence the person reads."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from program import wording
from program.periods import utc_day
from program.policy.policy import Policy


def constraint(error: DBAPIError) -> str | None:
    """The name of the constraint or unique index that was violated; ``None`` for other errors."""
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None


class Refusal(Exception):
    """The request was understood and is refused; the text says why and what to do.

    Where there is more to say than a sentence, ``details`` holds the lines and ``summary``
    the sentence that follows them.
    """

    details: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The refusal in one line."""
        return str(self)


class NotAllowed(Refusal):
    """The actor's role, or the lack of one, forbids the act."""


class ConflictOfInterest(NotAllowed):
    """The person may not decide about this applicant, whatever their role."""


class NotFound(Refusal):
    """There is no such thing, or not for this person."""


class Invalid(Refusal):
    """What was typed cannot be taken as it is."""


class ExchangeInDoubt(Refusal):
    """A name may mean an exchange that was recorded in other words.

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
    """The person has a view of that name; ``version`` is what replacing it has to give."""

    def __init__(self, name: str, *, is_shared: bool, version: UUID) -> None:
        self.name, self.version = name, version
        seen = " Colleagues see it too." if is_shared else ""
        super().__init__(
            f"You have a view “{name}” already.{seen} Replace it, or choose another name."
        )


class RequestReused(Refusal):
    """A request id came back with different content than the first time."""

    def __init__(self) -> None:
        super().__init__("This form was already sent with other content. Reload the page.")


class AlreadyDecided(Refusal):
    """Somebody settled the application first."""

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
    """The policy wants a second person for this decision."""


class ApprovalLapsed(Refusal):
    """What the first person saw is no longer so, so their request ended."""


class DataChanged(Refusal):
    """What a decision rests on changed between showing the page and deciding on it.

    ``changes`` holds (what, shown, now) in words.
    """

    def __init__(self, changes: tuple[tuple[str, str, str], ...]) -> None:
        self.changes = changes
        listed = "; ".join(f"{what}: {shown} is now {now}" for what, shown, now in changes)
        super().__init__(
            f"The facts changed since this page was shown ({listed}). "
            "Look again and decide; your text is kept."
        )


class FiguresMoved(DataChanged):
    """Figures moved since the page was shown, and no result with them: look, and go on."""

    def __init__(self, moved: tuple[tuple[str, str, str], ...]) -> None:
        super().__init__(moved)
        listed = "; ".join(f"{what} {old} → {new}" for what, old, new in moved)
        way_on = "Look at the new figures and press again; your text is kept."
        self.args = (f"Moved since you looked: {listed}. No result changed. {way_on}",)


class NeedsConfirming(Refusal):
    """The act changes the past: ``effect`` is what is to be confirmed, the text says it."""

    def __init__(self, sentence: str, effect: object) -> None:
        super().__init__(sentence)
        self.effect = effect


class Contradictory(Refusal):
    """A draft of the policy that contradicts itself, or cannot take effect as it says."""

    def __init__(self, details: tuple[str, ...]) -> None:
        self.details = details
        super().__init__(" ".join(details))


class BaseMoved(Refusal):
    """Another version rules when the draft is to begin than the one it was begun against.

    ``newest`` is the one that rules then.
    """

    def __init__(self, base_version: int, newest: Policy) -> None:
        self.newest = newest
        if newest.version > base_version:
            self.moved = (
                f"{newest.author} published version {newest.version} since this draft was begun "
                f"against version {base_version}."
            )
        else:
            self.moved = (
                f"Version {base_version}, against which this draft was begun, does not rule when "
                f"it is to begin; version {newest.version} does."
            )
        super().__init__(f"{self.moved} Look at it and start from it; your draft is kept.")


class SettingMissing(Refusal):
    """The environment lacks something, or has it in a form that cannot be used."""


class DatabaseUnavailable(Refusal):
    """Postgres does not answer."""


class Busy(DatabaseUnavailable):
    """Somebody else is acting on the same thing at this moment."""


class SchemaOutdated(DatabaseUnavailable):
    """The database was never migrated, or not since the program was updated."""

    def __init__(self) -> None:
        super().__init__(
            "The database's schema is missing or older than this program. "
            "Run `python -m data_access migrate`."
        )


class DatabaseNotEmpty(Refusal):
    """The demo goes into an empty database only."""


class AlreadyMoved(Refusal):
    """Somebody changed an affiliate's standing since it was shown."""

    def __init__(self, standing: str, by: str | None, at: datetime | None) -> None:
        self.standing, self.by, self.at = standing, by, at
        who = f" by {by}" if by else ""
        when = f" at {at.astimezone(UTC):%H:%M} UTC on {wording.day(utc_day(at))}" if at else ""
        super().__init__(f"Already {standing}{who}{when}. Look again; your text is kept.")


class Outdated(Refusal):
    """Somebody saved another version since the form was shown."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody saved another version since this form was shown. "
            "Reload the page, look at it, and enter your change again."
        )
