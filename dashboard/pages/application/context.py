"""The data of the application's page, as its forms take it."""

from dataclasses import dataclass
from datetime import datetime

from data_access.applications import decision_basis
from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application
from data_access.eligibility.assessments import Standing, ViewedFacts
from data_access.eligibility.judging import JudgingContext
from data_access.people.staff import Person
from data_access.queue.order_cache import Place
from data_access.review.checklist import Answer
from data_access.review.proposals import Lapsed, Proposal
from program.periods import is_behind, utc_day
from program.policy.evidence import EvidenceKind, current_kinds
from program.review.queue_filters import Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One application as read for this run, and the viewer.

    ``decisions`` are newest first. ``lapsed`` is the last proposal, if it expired and nobody has
    decided since. ``question`` is the last question to the applicant, if an answer is awaited;
    ``deferred_because`` is why it is deferred, if it is. ``conflict`` is the sentence why this
    person may not decide here.
    """

    application: Application
    standing: Standing
    context: JudgingContext
    decisions: list[MadeDecision]
    proposal: Proposal | None
    lapsed: Lapsed | None
    question: str | None
    deferred_because: str | None
    checks: dict[str, Answer]
    conflict: str | None
    place: Place
    filters: Filters
    person: Person
    now: datetime

    @property
    def id_(self) -> int:
        """The application's id."""
        return self.application.application_id

    @property
    def seen(self) -> ViewedFacts:
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
