"""What each page costs: milliseconds of a rerun, messages, bytes, statements and rows read.

A rerun is what a click causes: the page is open, the session and the caches are warm. A person has
come from the page without filters to each filtered one.
"""

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, text

from bench import database, sessions
from bench.measurements import Failures
from bench.recording import CHECKOUT, Recorded, Recording
from bench.sessions import Run
from tests.browser.serving import served

# Sees every page.
MANAGER = "manager@example.org"
TIMED_TURNS = 5


@dataclass(frozen=True, kw_only=True)
class View:
    """A page with a query, and a text by which to recognize it.

    ``query`` may name the ``{id}`` and ``{name}`` of an application that is pending. With ``press``,
    the key of a button, what pressing it costs is measured, of the page that is open.
    """

    name: str
    path: str = ""
    query: str = ""
    shows: str = "queue-pages"
    press: str = ""

    @property
    def before(self) -> str:
        """The query of the page from which a person comes."""
        return self.query if self.path == "application" else ""


VIEWS = (
    View(name="queue"),
    View(name="queue by waiting", query="sort=waiting"),
    View(name="queue, met", query="eligibility=met"),
    View(name="queue, one country", query="country=BR"),
    View(name="queue, waiting 14 d", query="waiting=14"),
    View(name="queue, search", query="search={name}"),
    View(name="queue, approved", query="status=approved"),
    View(name="application", path="application", query="id={id}", shows="application-head"),
    View(
        name="application, a choice",
        path="application",
        query="id={id}",
        press="choose-r-{id}",
        shows="hot-1",
    ),
    View(
        name="application, a check",
        path="application",
        query="id={id}",
        press="check-open-identity_and_account-{id}",
        shows="check-identity_and_account-failed",
    ),
    View(name="program, work", path="program", shows="five"),
    View(name="program, reviewers", path="program", query="tab=reviewers", shows="reviewers-chart"),
    View(name="program, volume", path="program", query="tab=volume", shows="volume-figures"),
    View(name="program, cohorts", path="program", query="tab=cohorts", shows="retention"),
    View(
        name="program, minimums",
        path="program",
        query="tab=minimums",
        shows="minimum-volume_usd",
    ),
    View(name="affiliates", path="affiliates", shows="Newest month tested"),
    View(name="affiliates, outcomes", path="affiliates", query="part=outcomes", shows="cohorts-"),
    View(
        name="affiliates, near misses",
        path="affiliates",
        query="part=near-misses",
        shows="affiliates-page-near-misses",
    ),
    View(
        name="affiliates, alerts",
        path="affiliates",
        query="part=alerts",
        shows="is flagged now and was not before",
    ),
    View(name="explore", path="explore", shows="explore-table"),
    View(
        name="explore, decisions",
        path="explore",
        query="dataset=decisions",
        shows="explore-table",
    ),
    View(
        name="explore, by country",
        path="explore",
        query="group=country_code",
        shows="explore-table",
    ),
    View(name="outbox", path="outbox", shows="Messages to applicants"),
    View(name="policy", path="policy", shows="policy-part"),
    View(name="policy, history", path="policy", query="part=history", shows="version-1"),
    View(name="policy, calibration", path="policy", query="part=calibration", shows="All signals"),
    View(name="settings", path="settings", shows="The review clock stops"),
    View(name="staff", path="staff", shows="staff-people"),
    View(name="import", path="import", shows="Import applications from a form"),
)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What does not depend on the machine."""

    statements: int
    messages: int
    rows_read: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a rerun of a page costs. ``checkouts`` are of connections, each a transaction."""

    statements: tuple[Recorded, ...]
    messages: int
    size: int
    checkouts: int

    @property
    def counts(self) -> Counts:
        """What has a limit."""
        return Counts(
            statements=len(self.statements),
            messages=self.messages,
            rows_read=sum(one.rows_read for one in self.statements),
        )


@dataclass(frozen=True, kw_only=True)
class Manager:
    """A signed-in manager who opens views of one applicant; see `applicant`."""

    address: str
    cookies: str
    known: Mapping[str, str]

    def turns(self, view: View) -> Iterator[Callable[[], Run]]:
        """Yield reruns of the view, each to be made before the next is requested."""
        with sessions.opened(self.address, self.cookies) as session:
            while True:
                session.run(view.path, view.before.format(**self.known))
                if view.press:
                    yield partial(session.press, view.press.format(**self.known))
                else:
                    yield partial(session.click, view.path, view.query.format(**self.known))


@contextmanager
def visited(home: Path, known: Mapping[str, str], *program: str) -> Iterator[Manager]:
    """Serve the dashboard over ``home``, and sign in."""
    with served(home, program=program or ["serve.py"]) as address:
        yield Manager(address=address, cookies=sessions.sign_in(address, MANAGER), known=known)


@contextmanager
def counting(home: Path, known: Mapping[str, str]) -> Iterator[Callable[[View], Cost]]:
    """Serve the dashboard over ``home`` and yield what counts the cost of a view."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "statements"
        with visited(home, known, "-m", "bench.recording", str(file)) as manager:
            recording = Recording(file)

            def cost(view: View) -> Cost:
                turns = manager.turns(view)
                turn = next(turns)
                assert turn().shows(view.shows), f"The page does not show {view.shows}."
                if view.before != view.query:
                    turn = next(turns)
                recording.take()
                return _cost(turn(), recording.take())

            yield cost


def _cost(run: Run, recorded: Sequence[Recorded]) -> Cost:
    statements = tuple(one for one in recorded if not _is_aside(one))
    return Cost(
        statements=statements,
        messages=run.messages,
        size=run.size,
        checkouts=len(recorded) - len(statements),
    )


def _is_aside(one: Recorded) -> bool:
    """Whether this is no statement of the page: a checkout, or the activity, once a minute."""
    return one.statement == CHECKOUT or "review.sessions SET last_seen_at" in one.statement


def report(engine: Engine, failures: Failures) -> None:
    """Print a row for every page."""
    report_over(engine, database.CLUSTER.home, failures)


def report_over(
    engine: Engine, home: Path, failures: Failures, *, only: Sequence[str] | None = None
) -> dict[str, Counts]:
    """Print a row for every page of the dashboard over ``home``; returns the counts by name.

    With ``only``, print those whose name contains a part of it, and their statements.
    """
    counts: dict[str, Counts] = {}
    known = applicant(engine)

    def row(view: View) -> str:
        cost = count(view)
        counts[view.name] = cost.counts
        turns = islice(manager.turns(view), TIMED_TURNS)
        printed = line(view.name, statistics.median(turn().ms for turn in turns), cost)
        return "\n".join([printed, *map(statement_line, cost.statements)]) if only else printed

    print(HEADER)
    with visited(home, known) as manager, counting(home, known) as count:
        for view in VIEWS:
            if not only or any(part in view.name for part in only):
                failures.print_row(view.name, partial(row, view))
    return counts


HEADER = (
    f"{'a rerun of a page':<28} {'median ms':>10} {'messages':>9} {'kB':>6} {'statements':>11}"
    f" {'connections':>12} {'rows read':>11}"
)


def line(name: str, ms: float, cost: Cost) -> str:
    counts = cost.counts
    return (
        f"{name:<28} {ms:>10.0f} {counts.messages:>9} {cost.size / 1000:>6.0f}"
        f" {counts.statements:>11} {cost.checkouts:>12} {counts.rows_read:>11,}"
    )


def statement_line(one: Recorded) -> str:
    """Format what a statement does, with which tables, and the rows it reads."""
    verb = one.statement.split(maxsplit=1)[0].lower()
    tables = dict.fromkeys(re.findall(r"\b(?:exchange|review)\.\w+\b(?!\.)", one.statement))
    return f"{one.rows_read:>11,}  {verb} {', '.join(tables)}"


# With the most evidence, so that it is the same one in every build.
APPLICANT = """
select application_id::text as id, username as name, social_handle as handle
from exchange.applications join exchange.accounts using (account_id)
where status = 'pending'
    and exists (select from exchange.referrals where affiliate_account_id = account_id)
order by (select count(*) from review.evidence where evidence.application_id = applications.application_id) desc,
    application_id
limit 1
"""


def applicant(engine: Engine) -> dict[str, str]:
    """Return the id, the name and the handle of a pending applicant who has referrals."""
    with engine.connect() as connection:
        return dict(connection.execute(text(APPLICANT)).mappings().one())


def over(found: Mapping[str, Counts], limits: Mapping[str, Counts]) -> list[str]:
    """Return what exceeds its limit, in words."""
    return [
        f"{page}: {getattr(counts, name):,} {name.replace('_', ' ')}, of at most {most:,}"
        for page, counts in found.items()
        for name, most in asdict(limits[page]).items()
        if getattr(counts, name) > most
    ]
