"""What the help panel says about each screen, from the records that screens and documents share."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dashboard.shell import screens, sign_in
from dashboard.shell.screens import Screen
from dashboard.ui import shortcuts
from program import wording
from program.affiliates import requalification
from program.policy.criteria import CRITERIA
from program.policy.setting import Group
from program.policy.settings import SETTINGS
from program.reports.datasets import DATASETS
from program.reports.kpis import KPIS
from program.review import queue_explained
from program.risk.signals import SIGNALS
from program.text.glossary import TERMS

UPSTREAM = (
    "Trading figures come from the exchange, up to the data-through day in the header. Followers "
    "and volumes elsewhere are evidence that staff recorded."
)
MEASURED = "Measured after each refresh. A signal asks; it never decides."
COUNTED = "Counted in business days, UTC: no weekends, no holidays."
PERIODS = "Over the days of the chosen period, UTC; the list behind a figure is one click away."
TESTED = "Every whole calendar month is tested after the refresh. A test only suggests."
Rows = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Some figures of a screen: names and what they mean, the source, and where they are set."""

    title: str
    rows: tuple[tuple[str, str], ...]
    source: str = ""
    set_at: Screen | None = None


def _terms(title: str, *names: str, source: str = "", set_at: Screen | None = None) -> Topic:
    rows = tuple((wording.capital(name), TERMS[name]) for name in names)
    return Topic(title=title, rows=rows, source=source, set_at=set_at)


def _topic(title: str, rows: Rows, source: str = "", set_at: Screen | None = None) -> Topic:
    return Topic(title=title, rows=tuple(rows), source=source, set_at=set_at)


def _eligibility() -> Iterator[tuple[str, str]]:
    for name in ("eligibility", "on-exchange track", "external track", "unknown", "window"):
        yield wording.capital(name), TERMS[name]
    for one in CRITERIA:
        yield one.label, f"{one.explanation} Met with {one.comparison} the minimum."


def _policy_parts() -> Iterator[Topic]:
    for group in Group:
        if group is not Group.RISK:
            yield _topic(
                str(group), ((s.label, s.explanation) for s in SETTINGS if s.group is group)
            )


LIST = _topic("The columns", queue_explained.COLUMNS.items(), UPSTREAM)
ELIGIBILITY = _topic("Eligibility", _eligibility(), UPSTREAM, screens.POLICY)
PRIORITY = _topic(
    "Priority, at most 100 points",
    ((one.label, f"{words}; at most {one.cap}.") for one, words in queue_explained.points()),
)
DUE = _terms("Due", "due", "review clock", "business day", source=COUNTED, set_at=screens.POLICY)
OWNERS = _terms("Who works on it", "unassigned", "claim", "assigned", "deferred", "bulk run")
RISK = _topic(
    "Risk signals",
    (
        ("Risk level", TERMS["risk level"]),
        *((one.name, f"{one.question} {wording.sentence(one.formula)}") for one in SIGNALS),
    ),
    MEASURED,
    screens.POLICY,
)
DECIDING = _terms(
    "Deciding",
    "override",
    "second approval",
    "rebate",
    "conflict of interest",
    "evidence",
    "snapshot",
    "undo",
)
FIGURES = _topic(
    "The figures",
    ((one.name, f"{one.definition} Counted: {one.counted}.") for one in KPIS),
    PERIODS,
)
STANDINGS = _topic(
    "Standings",
    (
        (wording.capital(requalification.STANDING_WORDS[one]), wording.sentence(words))
        for one, words in requalification.STANDING_MEANINGS.items()
    ),
    TESTED,
    screens.POLICY,
)
TOPICS: Mapping[Screen, tuple[Topic, ...]] = {
    screens.QUEUE: (LIST, ELIGIBILITY, PRIORITY, DUE, OWNERS),
    screens.APPLICATION: (ELIGIBILITY, RISK, PRIORITY, DUE, DECIDING),
    screens.PROGRAM: (FIGURES, _terms("How it counts", "KPI", "current decision", "drill-down")),
    screens.AFFILIATES: (
        STANDINGS,
        _terms("The board", "affiliate", "requalification", "step", "near miss", "alert"),
        RISK,
    ),
    screens.EXPLORE: (
        _topic("The tables", ((one.title, one.description) for one in DATASETS), UPSTREAM),
        _terms("Views", "saved view", "delivered day", "unknown"),
    ),
    screens.OUTBOX: (_terms("Messages", "outbox", "silent", "withheld", "undeliverable", "undo"),),
    screens.POLICY: (
        _terms("Versions", "policy", "draft", "proposal", "what-if"),
        *_policy_parts(),
    ),
    screens.SETTINGS: (_terms("Days", "business day", "due", "review clock"),),
    screens.STAFF: (
        _topic(
            "Roles", ((wording.capital(role), does) for role, does in sign_in.ROLE_WORDS.items())
        ),
        OWNERS,
    ),
    screens.IMPORT: (_terms("Rows", "application", "upstream", "kept row"),),
}
KEYS: Mapping[Screen, str] = {
    screens.QUEUE: shortcuts.QUEUE,
    screens.APPLICATION: shortcuts.APPLICATION,
}
