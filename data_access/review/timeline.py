"""The timeline of an application: events, notes, evidence, checks and decisions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application
from data_access.review.written import Written
from program import wording
from program.policy.checklist import OUTCOME_LABELS, CheckOutcome, item
from program.review.workflow import Move, Status
from program.risk.signals import BY_ID


class EntryKind(StrEnum):
    """The kind of a line on the timeline."""

    SUBMITTED = "submitted"
    NOTE = "note"
    EVIDENCE = "evidence"
    CHECK = "check"
    EVENT = "event"
    MESSAGE = "message"
    ANSWER = "answer"
    DECISION = "decision"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line. ``title`` is ours, but for names; ``body`` is typed text. Neither is markup."""

    at: datetime
    kind: EntryKind
    actor: str
    title: str
    body: str = ""


Rows = Iterable[Mapping[str, Any]]
# Returns the name of a person by their address.
Named = Callable[[str], str]


def entries_of(
    application: Application,
    decisions: Iterable[MadeDecision],
    written: Written,
    *,
    named: Named = str,
) -> list[TimelineEntry]:
    """Return the timeline of an application with all its ``decisions``; all are newest first.

    ``named`` gives the names of colleagues in titles.
    """
    submitted = TimelineEntry(
        at=application.submitted_at,
        kind=EntryKind.SUBMITTED,
        actor="applicant",
        title="submitted",
    )
    # Each part comes newest first and sorting is stable: with equal times, the later stays above.
    entries = [
        *_decisions(decisions, named),
        *_events(written.events, named),
        *_checks(written.checks),
        *_notes(written.notes),
        *_evidence(written.evidence),
    ]
    withdrawn = any(entry.title == Move.WITHDRAW for entry in entries)
    if application.status is Status.WITHDRAWN and application.status_changed_at and not withdrawn:
        entries.append(
            TimelineEntry(
                at=application.status_changed_at,
                kind=EntryKind.EVENT,
                actor="upstream",
                title="withdrawn",
            )
        )
    return sorted([*entries, submitted], key=lambda entry: entry.at, reverse=True)


def _notes(rows: Rows) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=row["created_at"],
            kind=EntryKind.NOTE,
            actor=row["author"],
            title="note",
            body=row["body"],
        )
        for row in rows
    ]


def _evidence(rows: Rows) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=row["recorded_at"],
            kind=EntryKind.EVIDENCE,
            actor=row["recorded_by"],
            title=f"evidence: {_observed(row)}{_before(earlier, _observed)}",
            body=" · ".join(part for part in (row["exchange_name"], row["source_url"]) if part),
        )
        for row, earlier in _with_earlier(rows, "kind", "exchange_name")
    ]


def _observed(row: Mapping[str, Any]) -> str:
    if row["kind"] == "x_followers":
        return f"{row['value']:,.0f} followers on X"
    return f"{row['value']:,.2f} USD on another exchange"


def _with_earlier(rows: Rows, *same: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each row, newest first, with the one before it that has the ``same``; or with none."""
    listed = list(rows)
    for place, row in enumerate(listed):
        key = [row[name] for name in same]
        older = (one for one in listed[place + 1 :] if [one[name] for name in same] == key)
        yield row, next(older, {})


def _before(earlier: Mapping[str, Any], words: Callable[[Mapping[str, Any]], str]) -> str:
    return f" (before: {words(earlier)})" if earlier else ""


def _checks(rows: Rows) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=row["created_at"],
            kind=EntryKind.CHECK,
            actor=row["author"],
            title=f"check “{item(row['item']).label}”: {_answered(row)}"
            f"{_before(earlier, _answered)}",
            body=row["comment"],
        )
        for row, earlier in _with_earlier(rows, "item")
    ]


def _answered(row: Mapping[str, Any]) -> str:
    return OUTCOME_LABELS[CheckOutcome(row["outcome"])].lower()


def _decisions(decisions: Iterable[MadeDecision], named: Named) -> list[TimelineEntry]:
    entries = []
    for made in decisions:
        against = " against the computed eligibility" if made.is_override else ""
        second = f", confirmed by {named(made.second_approver)}" if made.second_approver else ""
        reasons = [made.rationale, made.override_reason or ""]
        decision = TimelineEntry(
            at=made.decided_at,
            kind=EntryKind.DECISION,
            actor=made.decided_by,
            title=f"{made.outcome}{against}{second}",
            body="\n".join(text for text in reasons if text),
        )
        message = TimelineEntry(
            at=made.decided_at,
            kind=EntryKind.MESSAGE,
            actor=made.decided_by,
            title="message to the applicant",
            body=made.message_to_applicant,
        )
        entries += [decision, message] if made.message_to_applicant else [decision]
    return entries


def _events(rows: Rows, named: Named) -> list[TimelineEntry]:
    return [_event(row, named) for row in rows if row["kind"] not in _TOLD_BY_THE_DECISION]


_TOLD_BY_THE_DECISION = (str(Move.APPROVE), str(Move.REJECT))
_MESSAGES = {
    str(Move.REQUEST_INFORMATION): (EntryKind.MESSAGE, "asked for information", "message"),
    str(Move.RECORD_ANSWER): (EntryKind.ANSWER, "the applicant's answer", "answer"),
}


def _event(row: Mapping[str, Any], named: Named) -> TimelineEntry:
    happened, detail = row["kind"], row["detail"] or {}
    if happened in _DELIVERIES:
        kind = EntryKind.DELIVERY
        title, body = _delivery(happened, detail)
    else:
        kind, title, key = _MESSAGES.get(
            happened, (EntryKind.EVENT, _title(happened, detail, named), "reason")
        )
        body = str(detail.get(key) or _changes(detail) or _proposed(detail))
    return TimelineEntry(at=row["at"], kind=kind, actor=row["actor"], title=title, body=body)


# The words for what became of a message, and the keys of the detail shown with them.
_DELIVERIES = {
    "message_sent": ("message sent by {route}", "to"),
    "message_delivered": ("message delivered by {route}", "to"),
    "message_failed": ("message failed, to be retried", "said"),
    "message_parked": ("message undeliverable after {tries}", "said"),
    "message_withheld": ("message withheld", "reason"),
    "message_retried": ("message queued again", ""),
    "message_redirected": ("message queued for another recipient", "to"),
    "message_cancelled": ("message canceled", "reason"),
}


def _delivery(kind: str, detail: dict[str, Any]) -> tuple[str, str]:
    words, key = _DELIVERIES[kind]
    tries = detail.get("tries", 1)
    title = words.format(
        route=detail.get("route", ""), tries=f"{tries} tr{'y' if tries == 1 else 'ies'}"
    )
    text = detail.get(key) or ""
    if isinstance(text, dict):
        old, new = (f"{side[0]} {side[1] or 'nobody'}" for side in (text["old"], text["new"]))
        text = f"{new}, instead of {old}"
    return title, str(text)


def _title(kind: str, detail: dict[str, Any], named: Named) -> str:
    words = kind.replace("_", " ")
    person = detail.get("assignee") or {}
    if kind == "assigned":
        before = f" (before: {named(person['old'])})" if person.get("old") else ""
        return f"assigned to {named(str(person.get('new')))}{before}"
    if kind == "taken_over" and person.get("old"):
        return f"taken over from {named(person['old'])}"
    if detail.get("signal") in BY_ID:
        name = wording.inline(BY_ID[detail["signal"]].name)
        return {
            "signal_dismissed": f"dismissed the risk signal {name} {_until(detail)}",
            "signal_counts_again": f"let the risk signal {name} count again",
        }.get(kind, words)
    if kind == Move.DEFER:
        return f"deferred {_until(detail)}".rstrip()
    if kind == Move.BRING_BACK and detail.get("why"):
        return f"back in the queue, because {detail['why']}"
    if kind == Move.ASK_SECOND_APPROVAL and detail.get("outcome"):
        wanted = {"approved": "approve", "rejected": "reject"}[detail["outcome"]]
        return f"{words}, to {wanted} ({', '.join(detail.get('needed_for', ()))})"
    return words


def _until(detail: dict[str, Any]) -> str:
    day = f"until {date.fromisoformat(detail['until']):%-d %b %Y}" if detail.get("until") else ""
    change = "until a criterion's result changes" if detail.get("until_change") else ""
    return ", or ".join(part for part in (day, change) if part)


def _proposed(detail: dict[str, Any]) -> str:
    """Return the reason of a proposal and the figures it was based on."""
    figures = ", ".join(f"{what} {value}" for what, value in detail.get("figures") or ())
    lines = (detail.get("override_reason"), f"Proposed on: {figures}" if figures else "")
    return "\n".join(line for line in lines if line)


def _changes(detail: dict[str, Any]) -> str:
    changes = detail.get("changes") or ()
    return "; ".join(f"{c['what']}: {c['old']} is now {c['new']}" for c in changes)
