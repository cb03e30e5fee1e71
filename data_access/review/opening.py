"""All data of an application's page, read in one transaction for consistency."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from data_access.applications import decision_basis, decision_history, read
from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application, EarlierApplication
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import AssessedApplication, ViewedFacts
from data_access.eligibility.judging import JudgingContext
from data_access.people import staff
from data_access.people.staff import Person
from data_access.queue import order_cache
from data_access.queue.order_cache import Place
from data_access.review import (
    checklist,
    conflicts,
    deferrals,
    duplicates,
    information_requests,
    presence,
    proposals,
    timeline,
    trends,
)
from data_access.review.checklist import Answer
from data_access.review.duplicates import Connections
from data_access.review.proposals import Lapsed, Proposal
from data_access.review.timeline import TimelineEntry
from data_access.review.trends import Point, ReferredUser
from program.periods import ONE_DAY, Window, is_behind, month_start, months_later, utc_day
from program.policy.evidence import EvidenceKind, current_kinds
from program.review.permissions import Act
from program.review.queue_filters import Filters

DAYS_SHOWN = 90
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One application as read at ``now`` for its viewer, ``person``, in the view of ``filters``.

    ``decisions`` are newest first. ``lapsed`` is the last proposal, if it expired and nobody has
    decided since. ``question`` is the last question to the applicant, if an answer is awaited;
    ``deferred_because`` is why it is deferred, if it is. ``conflict`` is the sentence why this
    person may not decide here. ``others_wrote`` is the number of colleagues' entries on the
    thread, for telling what is new.
    """

    application: Application
    standing: AssessedApplication
    context: JudgingContext
    decisions: list[MadeDecision]
    proposal: Proposal | None
    lapsed: Lapsed | None
    question: str | None
    deferred_because: str | None
    checks: dict[str, Answer]
    conflict: str | None
    place: Place
    earlier: list[EarlierApplication]
    connections: Connections
    colleagues: list[Person]
    entries: list[TimelineEntry]
    others_wrote: int
    days: list[Point]
    months: list[Point]
    users: list[ReferredUser]
    filters: Filters
    person: Person
    now: datetime

    @property
    def id_(self) -> int:
        """The application's id."""
        return self.application.application_id

    @property
    def viewed_facts(self) -> ViewedFacts:
        """The facts behind a decision from this page, to be compared with those at that time."""
        given = {key: answer.outcome for key, answer in self.checks.items()}
        return decision_basis.view(self.standing, self.application, given)

    @property
    def evidence_kinds(self) -> frozenset[EvidenceKind]:
        """The kinds of evidence that count now."""
        fresh = self.standing.freshness
        return current_kinds(
            self.standing.evidence,
            data_through=fresh.data_through if fresh else None,
            now=self.now,
            policy=self.standing.policy,
        )

    @property
    def is_provisional(self) -> bool:
        """Whether metrics are older than yesterday, so that eligibility may still change."""
        fresh = self.standing.freshness
        return fresh is not None and is_behind(fresh.data_through, utc_day(self.now))


def open_one(
    connection: Connection, id_: int, filters: Filters, person: Person, *, now: datetime
) -> Opened:
    """Read all data of the page. Raises NotFound."""
    context = judging.read_context(connection, now=now)
    application = read.read(connection, id_, now=now)
    account = application.account_id
    decisions = decision_history.history(connection, id_)
    proposed = proposals.history(connection, id_)
    days, since, window = _spans(context, now)
    return Opened(
        application=application,
        standing=assessments.read(connection, id_, context),
        context=context,
        decisions=decisions,
        proposal=proposals.waiting_of(proposed),
        lapsed=proposals.lapsed(connection, application, proposed, decisions),
        question=information_requests.question(connection, application),
        deferred_because=deferrals.reason(connection, application),
        checks=checklist.answers(connection, id_),
        conflict=conflicts.refusal(connection, application, person.email),
        place=order_cache.place(connection, id_, filters, context),
        earlier=read.others_of_account(connection, application),
        connections=duplicates.of(connection, application, now=now),
        colleagues=[p for p in staff.everyone(connection) if p.may(Act.CLAIM)],
        entries=timeline.read(connection, application, decisions),
        others_wrote=presence.others_wrote(connection, id_, viewer=person.email),
        days=trends.daily(connection, account, days),
        months=trends.monthly(connection, account, since=since),
        users=trends.top_referred_users(connection, account, window),
        filters=filters,
        person=person,
        now=now,
    )


def _spans(context: JudgingContext, now: datetime) -> tuple[Window, date, Window]:
    """Return the days and the first month of the charts, and the window of the metrics."""
    if context.freshness is None:
        end = now.date()
        window = Window(end - timedelta(days=30), end)
    else:
        end = context.freshness.data_through + ONE_DAY
        window = context.freshness.window
    first = min(end - timedelta(days=DAYS_SHOWN), window.start)
    return Window(first, end), months_later(month_start(window.last_day), 1 - MONTHS_SHOWN), window
