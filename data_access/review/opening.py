"""All data of an application's page.

What a decision rests on is read in one transaction for consistency; the trends beside it are read
once it is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, Select

from data_access.applications import contacts, decision_basis, decision_history, read
from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application, EarlierApplication
from data_access.db import tables
from data_access.db.bundles import Bundle
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import AssessedApplication, ViewedFacts
from data_access.eligibility.judging import JudgingContext, measured
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
    written,
)
from data_access.review.checklist import Answer
from data_access.review.duplicates import Connections
from data_access.review.presence import Glance
from data_access.review.proposals import Lapsed, Proposal
from data_access.review.timeline import TimelineEntry
from data_access.review.trends import Spans, Trends
from data_access.risk import reading
from data_access.risk.reading import AccountRisk
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
    decided since. ``risk`` is ``None`` if none was measured. ``question`` is the last question to
    the applicant, if an answer is awaited; ``deferred_because`` is why it is deferred, if it is.
    ``conflict`` is the sentence why this person may not decide here. ``others_wrote`` is the number
    of colleagues' entries on the thread, for telling what is new; ``viewers`` are colleagues who
    have it open too; ``colleagues`` are those to whom it may be assigned. ``names`` are those of
    everybody who is or was on the staff, by address.
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
    risk: AccountRisk | None
    conflict: str | None
    place: Place
    earlier: list[EarlierApplication]
    connections: Connections
    colleagues: list[Person]
    names: Mapping[str, str]
    entries: list[TimelineEntry]
    others_wrote: int
    viewers: tuple[str, ...]
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

    def named(self, actor: str) -> str:
        """Return the name of somebody who is or was on the staff, or what is not one as it is."""
        return self.names.get(actor, actor)

    def shows_the_same(self, other: "Opened") -> bool:
        """Whether what colleagues, applicants and refreshes change is as in ``other``.

        The place in the view and who is viewing are not: they move all the time.
        """
        return self._moving == other._moving

    @property
    def _moving(self) -> tuple[object, ...]:
        return (
            self.application.status,
            self.application.desk.assignee(self.now),
            self.standing,
            self.decisions,
            self.proposal,
            self.lapsed,
            self.checks,
            self.risk,
            self.conflict,
            self.entries,
            self.is_provisional,
        )

    @property
    def glance(self) -> Glance:
        """What a look at the application showed when it was read."""
        return Glance(
            application=self.application, viewers=self.viewers, others_wrote=self.others_wrote
        )


def open_one(
    connection: Connection, id_: int, filters: Filters, person: Person, *, now: datetime
) -> Opened:
    """Read what a decision rests on. Raises NotFound."""
    context = judging.read_context(connection, now=now)
    row = _read_subject(connection, id_, person, context)
    application = read.of_row(row)
    found = _RECORDED.read(
        connection, application_id=id_, account_id=application.account_id, today=utc_day(now)
    )
    recorded = written.of_rows(found)
    names = staff.names_of(map(staff.of_row, found["people"]))
    decisions = decision_history.of_rows(recorded.decisions)
    proposed = proposals.of_rows(recorded.proposals)
    standing = assessments.judge(row, assessments.evidence_of(recorded.evidence), context)
    return Opened(
        application=contacts.shown_to(person, application),
        standing=standing,
        context=context,
        decisions=decisions,
        proposal=proposals.waiting_of(proposed),
        lapsed=proposals.lapsed(application, proposed, decisions, recorded.events),
        question=information_requests.question(application, recorded.events),
        deferred_because=deferrals.reason(application, recorded.events),
        checks=checklist.answers_of(recorded.checks),
        risk=reading.of_rows(
            found["measures"], found["dismissals"], facts=standing.facts, policy=context.policy
        ),
        conflict=conflicts.sentence(application, person.email, row[CONFLICT]),
        place=order_cache.place(connection, id_, filters, context),
        earlier=read.others_of(found["earlier"]),
        connections=duplicates.of(connection, application, now=now),
        colleagues=[p for p in map(staff.of_row, found["staff"]) if p.may(Act.CLAIM)],
        names=names,
        entries=timeline.entries_of(
            application, decisions, recorded, named=lambda actor: names.get(actor, actor)
        ),
        others_wrote=written.by_others(recorded, viewer=person.email),
        viewers=presence.viewers_of(row),
        filters=filters,
        person=person,
        now=now,
    )


def read_trends(connection: Connection, shown: Opened) -> Trends:
    """Read the figures of the charts and the referred users, from the same refresh or a later."""
    return trends.read(connection, shown.application.account_id, _spans(shown.context, shown.now))


CONFLICT = "conflict"
_RECORDED = Bundle(
    **written.PARTS,
    earlier=read.OTHERS,
    staff=staff.PRESENT,
    people=staff.EVER,
    measures=reading.MEASURES,
    dismissals=reading.DISMISSALS,
)


@cache
def _subject(known: bool) -> Select[Any]:
    """Select one application with its metrics, which are ``known`` after a refresh."""
    late = assessments.late_accounts(known)
    reason = conflicts.newest_reason(tables.applications.c.account_id)
    return read.selected(measured(late)).add_columns(
        *assessments.metric_columns(late), reason.label(CONFLICT), presence.viewers()
    )


def _read_subject(
    connection: Connection, id_: int, person: Person, context: JudgingContext
) -> RowMapping:
    given = {
        conflicts.PERSON.key: person.email,
        presence.VIEWER.key: person.email,
        **assessments.metric_values(context),
    }
    statement = _subject(context.freshness is not None)
    return read.row_of(connection, statement, id_, now=context.now, **given)


def _spans(context: JudgingContext, now: datetime) -> Spans:
    if context.freshness is None:
        end = now.date()
        window = Window(end - timedelta(days=30), end)
    else:
        end = context.freshness.data_through + ONE_DAY
        window = context.freshness.window
    return Spans(
        days=Window(min(end - timedelta(days=DAYS_SHOWN), window.start), end),
        since=months_later(month_start(window.last_day), 1 - MONTHS_SHOWN),
        window=window,
    )
