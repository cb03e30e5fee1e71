"""Which days of activity are still read, and which whole months may go to an archive."""

from dataclasses import dataclass
from datetime import date

from program import wording
from program.affiliates.cohorts import COHORTS
from program.affiliates.requalification import MONTHS_KEPT
from program.periods import month_start, months_later


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads activity day by day, and how many months before the month of T at most."""

    what: str
    months: int


# Everything else reads sums, which are never archived. Figures of a window of 30 days can begin two
# months before the month of T, as on 1 March. Risk looks back over three of the policy's months.
READERS = (
    Reader(what="the policy's month", months=2),
    Reader(what="risk signals", months=4),
    Reader(what="monthly tests of affiliates", months=MONTHS_KEPT),
    Reader(what="outcomes of approvals", months=COHORTS),
)


def oldest_needed(through: date) -> date:
    """Return the oldest day whose activity is still read when T is ``through`` or later."""
    return months_later(month_start(through), -max(reader.months for reader in READERS))


def still_needed(through: date) -> str:
    """Return the sentence that says the oldest day still needed, and what reads it."""
    most = max(reader.months for reader in READERS)
    furthest = [reader.what for reader in READERS if reader.months == most]
    return (
        f"{oldest_needed(through)} is the oldest day whose activity is still needed: "
        f"{wording.listed(furthest)} read from it on"
    )


def last_month_before(day: date) -> date:
    """Return the newest month that is over before ``day``."""
    return months_later(month_start(day), -1)
