"""Answer the due-diligence checklist. Answers are kept forever; the newest per item counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.applications import commands, requests
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import tables, text_rules
from data_access.db.errors import Invalid
from data_access.eligibility import assessments, judging, policies
from data_access.people.identities import known_by
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
    table = tables.checks
    newest = (
        select(table)
        .where(table.c.application_id == application_id)
        .ext(distinct_on(table.c.item))
        .order_by(table.c.item, table.c.check_id.desc())
    )
    return {
        row.item: Answer(
            outcome=CheckOutcome(row.outcome),
            comment=row.comment,
            author=row.author,
            at=row.created_at,
        )
        for row in connection.execute(newest)
    }


def outcomes(connection: Connection, application_id: int) -> dict[str, CheckOutcome]:
    """Return the newest outcome per item, for the rules of the checklist."""
    return {key: given.outcome for key, given in answers(connection, application_id).items()}


@known_by("actor")
def answer(
    engine: Engine,
    *,
    application_id: int,
    item: str,
    outcome: CheckOutcome,
    comment: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Answer one item of the policy's checklist and return the answer's id.

    A failed item needs a comment, and so does changing a failed answer; an item that needs
    evidence passes only with it. Raises NotAllowed, NotFound, Invalid or RequestReused.
    """
    text = _checked(comment)
    if outcome not in set(CheckOutcome):
        raise Invalid("Choose whether the check is passed, failed or not applicable.")
    content = {"item": item, "outcome": str(outcome), "comment": text}
    form = requests.form(Act.ANSWER_CHECK, content, application_id, actor, now, request_id)

    def do(connection: Connection, _: Application) -> int:
        policy = policies.in_force(connection, now=now)
        if item not in {*policy.checklist, *policy.required_checks}:
            raise Invalid("This check is not on the policy's checklist. Reload the page.")
        asked = item_of(item)
        why = why_not(
            asked,
            CheckOutcome(outcome),
            text,
            before=outcomes(connection, application_id).get(item),
            established=established(connection, application_id, now) if asked.needs else (),
        )
        if why is not None:
            raise Invalid(why)
        return _keep(connection, form, item, CheckOutcome(outcome), text)

    return commands.perform(engine, form, do)


@known_by("actor")
def pass_open(
    engine: Engine,
    *,
    application_id: int,
    items: Sequence[str],
    comment: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Answer these open items as passed; returns how many those were.

    ``items`` are those listed on the screen: all of them pass, or none
    where one was answered meanwhile or lacks its evidence. Raises NotAllowed, NotFound, Invalid
    or RequestReused.
    """
    text = _checked(comment)
    content = {"pass_open": list(items), "comment": text}
    form = requests.form(Act.ANSWER_CHECK, content, application_id, actor, now, request_id)

    def do(connection: Connection, _: Application) -> int:
        policy = policies.in_force(connection, now=now)
        given = outcomes(connection, application_id)
        left = open_items(policy.checklist, policy.required_checks, given)
        passing = {
            each.key for each in passable(left, established(connection, application_id, now))
        }
        for key in dict.fromkeys(items):
            if key not in passing:
                raise Invalid(_not_open(key, given))
            _keep(connection, form, key, CheckOutcome.PASSED, text)
        return len(set(items))

    return commands.perform(engine, form, do)


def established(
    connection: Connection, application_id: int, now: datetime
) -> frozenset[EvidenceKind]:
    """Return the kinds of evidence that count at ``now``."""
    ground = judging.basis(connection, now=now)
    return current_kinds(
        assessments.list_evidence(connection, application_id),
        data_through=ground.freshness.data_through if ground.freshness else None,
        now=now,
        policy=ground.policy,
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
    connection: Connection, form: Form, item: str, outcome: CheckOutcome, comment: str
) -> int:
    check_id: int = connection.execute(
        insert(tables.checks)
        .values(
            application_id=form.application_id,
            item=item,
            outcome=str(outcome),
            comment=comment,
            author=form.actor,
            created_at=form.at,
        )
        .returning(tables.checks.c.check_id)
    ).scalar_one()
    return check_id
