"""Compare what a person saw of an application with the current facts.

A decision rests on results: each criterion, the checklist, whether one person is enough, which
evidence counts, the policy, and the applicant. Figures move with every day of trading; a figure
that moved without changing a result is shown and accepted knowingly.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from program import wording
from program.policy.checklist import OUTCOME_LABELS, CheckOutcome, item
from program.policy.criteria import CRITERIA, EXTERNAL, Criterion, Unit
from program.policy.eligibility import Facts, judge_criterion
from program.policy.outcomes import OUTCOME_WORDS
from program.policy.policy import Policy

NOT_ANSWERED = "not answered"
NOBODY = "no second person needed"


class Change(NamedTuple):
    """One difference, in words."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        """Format as part of a sentence."""
        return f"{self.what}: {self.old} → {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Results that ``changed``, and figures that only ``moved``."""

    changed: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(self.changed or self.moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedFacts:
    """What a page showed when its form was drawn.

    ``evidence_ids`` are those that counted, ``checks`` outcomes by item, ``applicant`` upstream's
    fields by name. ``None`` means not stored, and is not compared.
    """

    data_through: date | None
    policy_version: int
    facts: Facts
    newest_evidence_id: int
    # Unknown before the first metrics, and in records stored before fees were.
    fees_usd: Decimal | None = None
    evidence_ids: tuple[int, ...] | None = None
    checks: Mapping[str, str] | None = None
    applicant: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; numbers as text, so that readers do not use floats."""
        values = {c.key: self.facts.value(c) for c in CRITERIA}
        return {
            "data_through": self.data_through.isoformat() if self.data_through else None,
            "policy_version": self.policy_version,
            "facts": {key: None if v is None else str(v) for key, v in values.items()},
            "newest_evidence_id": self.newest_evidence_id,
            "fees_usd": None if self.fees_usd is None else str(self.fees_usd),
            "evidence_ids": None if self.evidence_ids is None else list(self.evidence_ids),
            "checks": None if self.checks is None else dict(self.checks),
            "applicant": None if self.applicant is None else dict(self.applicant),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ViewedFacts":
        """Parse the output of `to_json`."""
        through, ids = kept["data_through"], kept.get("evidence_ids")
        whole = {"active_users", "new_users", "x_followers"}
        facts: dict[str, Any] = {
            key: None if text is None else int(text) if key in whole else Decimal(text)
            for key, text in kept["facts"].items()
        }
        return cls(
            data_through=date.fromisoformat(through) if through else None,
            policy_version=kept["policy_version"],
            facts=Facts(**facts),
            newest_evidence_id=kept["newest_evidence_id"],
            fees_usd=Decimal(kept["fees_usd"]) if kept.get("fees_usd") is not None else None,
            evidence_ids=None if ids is None else tuple(ids),
            checks=kept.get("checks"),
            applicant=kept.get("applicant"),
        )


# Returns why a second person is needed at these net fees, in words; empty if one is enough.
SecondReasons = Callable[[Decimal | None], tuple[str, ...]]


def compare(
    shown: ViewedFacts,
    now: ViewedFacts,
    policy: Policy,
    second_reasons: SecondReasons | None = None,
) -> Comparison:
    """Compare two views under the ``policy`` in force now."""
    changed = [
        *_policy(shown, now),
        *_results(shown, now, policy),
        *_second_person(shown, now, second_reasons),
        *_evidence(shown, now),
        *_applicant(shown, now),
    ]
    answered, added = _checks(shown, now)
    moved = [*_figures(shown, now, policy), *added]
    if moved and shown.data_through != now.data_through:
        moved.insert(0, Change("data through", _day(shown.data_through), _day(now.data_through)))
    return Comparison(changed=(*changed, *answered), moved=tuple(moved))


def with_own(
    shown: ViewedFacts, now: ViewedFacts, *, answered: Collection[str], recorded: bool
) -> ViewedFacts:
    """Return what was shown, with what the viewer did since, which is no news to them.

    They ``answered`` these items last; ``recorded`` is whether all newer evidence is theirs.
    """
    if shown.checks is not None and now.checks is not None:
        own = {key: now.checks[key] for key in answered}
        shown = replace(shown, checks={**shown.checks, **own})
    if not recorded or shown.newest_evidence_id == now.newest_evidence_id:
        return shown
    observed: dict[str, Any] = {
        criterion.key: now.facts.value(criterion) for criterion in EXTERNAL.criteria
    }
    return replace(
        shown,
        facts=replace(shown.facts, **observed),
        newest_evidence_id=now.newest_evidence_id,
        evidence_ids=now.evidence_ids,
    )


def figures(viewed: ViewedFacts) -> list[tuple[str, str]]:
    """Return the viewed figures as (label, value) pairs of text, with every digit."""
    rows = [(c.label, _value(c, viewed.facts.value(c))) for c in CRITERIA]
    fees = "unknown" if viewed.fees_usd is None else f"{wording.cents_usd(viewed.fees_usd)} USD"
    return [("Data through", _day(viewed.data_through)), *rows, ("Net fees", fees)]


def _policy(shown: ViewedFacts, now: ViewedFacts) -> list[Change]:
    old, new = shown.policy_version, now.policy_version
    return [] if old == new else [Change("policy version", str(old), str(new))]


def _results(shown: ViewedFacts, now: ViewedFacts, policy: Policy) -> list[Change]:
    found = []
    for criterion in CRITERIA:
        before = judge_criterion(criterion, shown.facts, policy)
        after = judge_criterion(criterion, now.facts, policy)
        if before.outcome is not after.outcome:
            old, new = _pair(criterion, before.value, after.value)
            found.append(
                Change(
                    wording.inline(criterion.label),
                    f"{old} ({OUTCOME_WORDS[before.outcome]})" if before.value is not None else old,
                    f"{new} ({OUTCOME_WORDS[after.outcome]})" if after.value is not None else new,
                )
            )
    return found


def _second_person(
    shown: ViewedFacts, now: ViewedFacts, reasons: SecondReasons | None
) -> list[Change]:
    # Without fees on one side, crossing the limit cannot be established.
    if reasons is None or None in (shown.fees_usd, now.fees_usd):
        return []
    old, new = reasons(shown.fees_usd), reasons(now.fees_usd)
    if old == new:
        return []
    return [Change("second approval", ", ".join(old) or NOBODY, ", ".join(new) or NOBODY)]


def _evidence(shown: ViewedFacts, now: ViewedFacts) -> list[Change]:
    if shown.newest_evidence_id != now.newest_evidence_id:
        return [Change("evidence", "without the newest entry", "one was recorded since")]
    if None in (shown.evidence_ids, now.evidence_ids) or shown.evidence_ids == now.evidence_ids:
        return []
    old, new = shown.evidence_ids or (), now.evidence_ids or ()
    return [Change("evidence that counts", _entries(len(old)), _entries(len(new)))]


def _applicant(shown: ViewedFacts, now: ViewedFacts) -> list[Change]:
    if shown.applicant is None or now.applicant is None:
        return []
    old, new = shown.applicant, now.applicant
    return [
        Change(what, old.get(what) or "none", new.get(what) or "none")
        for what in dict.fromkeys((*old, *new))
        if old.get(what) != new.get(what)
    ]


def _checks(shown: ViewedFacts, now: ViewedFacts) -> tuple[list[Change], list[Change]]:
    """Return answers that changed or failed, and first answers that did not fail."""
    if shown.checks is None or now.checks is None:
        return [], []
    turned: list[Change] = []
    added: list[Change] = []
    for key in sorted({*shown.checks, *now.checks}):
        old, new = shown.checks.get(key), now.checks.get(key)
        if old == new:
            continue
        change = Change(f"check “{item(key).label}”", _answer(old), _answer(new))
        harmless = old is None and new != CheckOutcome.FAILED
        (added if harmless else turned).append(change)
    return turned, added


def _figures(shown: ViewedFacts, now: ViewedFacts, policy: Policy) -> list[Change]:
    found = []
    for criterion in CRITERIA:
        before = judge_criterion(criterion, shown.facts, policy)
        after = judge_criterion(criterion, now.facts, policy)
        if before.value != after.value and before.outcome is after.outcome:
            old, new = _pair(criterion, before.value, after.value)
            found.append(Change(wording.inline(criterion.label), old, new))
    if shown.fees_usd is not None and now.fees_usd is not None and shown.fees_usd != now.fees_usd:
        old, new = wording.cents_usd(shown.fees_usd), wording.cents_usd(now.fees_usd)
        found.append(Change("net fees", f"{old} USD", f"{new} USD"))
    return found


def _pair(
    criterion: Criterion, old: Decimal | int | None, new: Decimal | int | None
) -> tuple[str, str]:
    """Format both values in short, or in full if short they would read the same."""
    if criterion.unit is Unit.USD and old is not None and new is not None:
        short = wording.cut_usd(Decimal(old)), wording.cut_usd(Decimal(new))
        if short[0] != short[1]:
            return f"{short[0]} USD", f"{short[1]} USD"
    return _value(criterion, old), _value(criterion, new)


def _value(criterion: Criterion, value: Decimal | int | None) -> str:
    if value is None:
        return "unknown"
    if criterion.unit is Unit.USD:
        return f"{wording.exact_usd(Decimal(value))} USD"
    return f"{value:,}"


def _answer(outcome: str | None) -> str:
    return NOT_ANSWERED if outcome is None else OUTCOME_LABELS[CheckOutcome(outcome)].lower()


def _entries(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"


def _day(day: date | None) -> str:
    return "none yet" if day is None else wording.day(day)
