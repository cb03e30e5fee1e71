"""Answer the due-diligence checklist. Answers are kept forever; the newest per item counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, insert

from data_access.applications import commands
from data_access.applications.commands import ApplicationCommand
from data_access.applications.read import Application
from data_access.db import records, tables, text_rules
from data_access.db.errors import Invalid
from data_access.eligibility import assessments, judging, policies
from program.policy.checklist import CheckOutcome, open_items, passable, why_not
from program.policy.checklist import item as item_of
from program.policy.evidence import EvidenceKind, current_kinds
from program.review.permissions import Act

LONGEST_COMMENT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One item's newest answer. The comment is typed text, never markup."""

    outcome: CheckOutcome
    comment: str
    author: str
    at: datetime


def answers(connection: Connection, application_id: int) -> dict[str, Answer]:
    """Return the newest answer per item, by the item's key."""
    return answers_of(records.read(connection, tables.checks, application_id))


def answers_of(rows: Sequence[Mapping[Any, Any]]) -> dict[str, Answer]:
    """Return the newest answer per item in rows of ``review.checks``, which are newest first."""
    return {
        row["item"]: Answer(
            outcome=CheckOutcome(row["outcome"]),
            comment=row["comment"],
            author=row["author"],
            at=row["created_at"],
        )
        for row in reversed(rows)
    }


def outcomes(connection: Connection, application_id: int) -> dict[str, CheckOutcome]:
    """Return the newest outcome per item, for the rules of the checklist."""
    return outcomes_of(answers(connection, application_id))


def outcomes_of(given: Mapping[str, Answer]) -> dict[str, CheckOutcome]:
    """Return the outcomes of these answers by item."""
    return {key: answer.outcome for key, answer in given.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCheck(ApplicationCommand):
    """Answer one item of the policy's checklist."""

    act: ClassVar[Act] = Act.ANSWER_CHECK
    item: str
    outcome: CheckOutcome
    comment: str


def answer(engine: Engine, command: AnswerCheck) -> int:
    """Answer one item and return the answer's id.

    A failed item needs a comment, and so does changing a failed answer; an item that needs
    evidence passes only with it. Raises NotAllowed, NotFound, Invalid or RequestReused.
    """
    command = replace(command, comment=_checked(command.comment))
    if command.outcome not in set(CheckOutcome):
        raise Invalid("Choose whether the check is passed, failed or not applicable.")

    def do(connection: Connection, _: Application) -> int:
        _require_answerable(connection, command)
        return _keep(connection, command, command.item, CheckOutcome(command.outcome))

    return commands.perform(engine, command, do)


def _require_answerable(connection: Connection, command: AnswerCheck) -> None:
    """Raise Invalid unless the item is on the policy's checklist and can get this answer."""
    item, id_ = command.item, command.application_id
    policy = policies.in_force(connection, now=command.at)
    if item not in {*policy.checklist, *policy.required_checks}:
        raise Invalid("This check is not on the policy's checklist. Reload the page.")
    checked = item_of(item)
    why = why_not(
        checked,
        CheckOutcome(command.outcome),
        command.comment,
        before=outcomes(connection, id_).get(item),
        established=established(connection, id_, command.at) if checked.needs else (),
    )
    if why is not None:
        raise Invalid(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOpenChecks(ApplicationCommand):
    """Answer these open items, as listed on the screen, as passed."""

    act: ClassVar[Act] = Act.ANSWER_CHECK
    items: Sequence[str]
    comment: str


def pass_open(engine: Engine, command: PassOpenChecks) -> int:
    """Answer these open items as passed; returns how many they were.

    All of them pass, or none if one was answered in the meantime or lacks its evidence. Raises
    NotAllowed, NotFound, Invalid or RequestReused.
    """
    command = replace(command, comment=_checked(command.comment))

    def do(connection: Connection, _: Application) -> int:
        id_ = command.application_id
        policy = policies.in_force(connection, now=command.at)
        given = outcomes(connection, id_)
        left = open_items(policy.checklist, policy.required_checks, given)
        passing = {each.key for each in passable(left, established(connection, id_, command.at))}
        for key in dict.fromkeys(command.items):
            if key not in passing:
                raise Invalid(_not_open(key, given))
            _keep(connection, command, key, CheckOutcome.PASSED)
        return len(set(command.items))

    return commands.perform(engine, command, do)


def established(
    connection: Connection, application_id: int, now: datetime
) -> frozenset[EvidenceKind]:
    """Return the kinds of evidence that count at ``now``."""
    context = judging.read_context(connection, now=now)
    return current_kinds(
        assessments.list_evidence(connection, application_id),
        data_through=context.freshness.data_through if context.freshness else None,
        now=now,
        policy=context.policy,
    )


def _not_open(key: str, given: Mapping[str, CheckOutcome]) -> str:
    label = item_of(key).label
    if key in given:
        word = str(given[key]).replace("_", " ")
        return f"{label} was answered {word} meanwhile. No check was passed. Look again."
    return f"{label} needs evidence first. No check was passed."


def _checked(comment: str) -> str:
    return text_rules.allow(comment, what="The comment", longest=LONGEST_COMMENT)


def _keep(
    connection: Connection,
    command: AnswerCheck | PassOpenChecks,
    item: str,
    outcome: CheckOutcome,
) -> int:
    check_id: int = connection.execute(
        insert(tables.checks)
        .values(
            application_id=command.application_id,
            item=item,
            outcome=str(outcome),
            comment=command.comment,
            author=command.actor,
            created_at=command.at,
        )
        .returning(tables.checks.c.check_id)
    ).scalar_one()
    return check_id
