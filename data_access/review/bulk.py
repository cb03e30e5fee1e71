"""Run one act on many applications: each in its own transaction, each with its own result.

The same verbs as for one, with the same required fields; approving stays one at a time. A
run is kept with what became of each application, so that a report outlives the page that
asked for it, and a repeat of the same form goes on where the first was cut off.
"""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from data_access.applications import read
from data_access.db import database, tables, text_rules
from data_access.db.errors import Busy, DatabaseUnavailable, Invalid, Refusal, RequestReused
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import Standing
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.review import checklist, claims, decisions, deferrals, information_requests
from program.messages import canned_texts
from program.messages.delivery import undo_for
from program.periods import utc_day
from program.policy.outcomes import Outcome
from program.review.permissions import Act
from program.review.workflow import REASONS_BY_CODE, Decision

MOST = 1_000
KEPT_EVERY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result for one application; ``sentence`` is the refusal if it was not done."""

    application_id: int
    done: bool
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A bulk run with its results so far. If unfinished, it is running or was cut off."""

    request_id: UUID
    act: str
    at: datetime
    finished_at: datetime | None
    asked: tuple[int, ...]
    results: tuple[Result, ...]


Each = Callable[[int, UUID], object]


def own_request(request_id: UUID, id_: int) -> UUID:
    """Return the request id under which a run acts on one of its applications."""
    return uuid5(request_id, str(id_))


@known_by("actor")
def claim(
    engine: Engine, *, ids: Sequence[int], actor: str, now: datetime, request_id: UUID
) -> list[Result]:
    """Claim each. Raises NotAllowed, Invalid or RequestReused."""

    def each(id_: int, own: UUID) -> object:
        command = claims.Claim(application_id=id_, actor=actor, at=now, request_id=own)
        return claims.claim(engine, command)

    return run(
        engine, Act.CLAIM, ids, each, content={}, actor=actor, now=now, request_id=request_id
    )


@known_by("assignee", "actor")
def assign(
    engine: Engine,
    *,
    ids: Sequence[int],
    assignee: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> list[Result]:
    """Assign each to one colleague. Raises NotAllowed, Invalid or RequestReused."""
    if not assignee.strip():
        raise Invalid("Choose a colleague who reviews applications.")

    def each(id_: int, own: UUID) -> object:
        command = claims.Assign(
            application_id=id_, assignee=assignee, actor=actor, at=now, request_id=own
        )
        return claims.assign(engine, command)

    return run(
        engine,
        Act.ASSIGN,
        ids,
        each,
        content={"assignee": assignee},
        actor=actor,
        now=now,
        request_id=request_id,
    )


@known_by("actor")
def defer(
    engine: Engine,
    *,
    ids: Sequence[int],
    until: date | None,
    until_change: bool,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> list[Result]:
    """Defer each in the same way. Raises NotAllowed, Invalid or RequestReused."""
    deferrals.check(until, until_change, now)

    def each(id_: int, own: UUID) -> object:
        command = deferrals.Defer(
            application_id=id_,
            until=until,
            until_change=until_change,
            reason=reason,
            actor=actor,
            at=now,
            request_id=own,
        )
        return deferrals.defer(engine, command)

    asked = {"until": until.isoformat() if until else None, "until_change": until_change}
    return run(
        engine,
        Act.DEFER,
        ids,
        each,
        content={**asked, "reason": reason},
        actor=actor,
        now=now,
        request_id=request_id,
    )


@known_by("actor")
def request_information(
    engine: Engine,
    *,
    ids: Sequence[int],
    message: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> list[Result]:
    """Ask each applicant, placeholders filled for each.

    Raises NotAllowed, Invalid or RequestReused.
    """
    text_rules.require(
        message, what="The message to the applicant", longest=text_rules.LONGEST_MESSAGE
    )

    def each(id_: int, own: UUID) -> object:
        _, filled = _filled(engine, id_, message, now)
        command = information_requests.RequestInformation(
            application_id=id_,
            message=filled,
            actor=actor,
            at=now,
            request_id=own,
            leaves_after=undo_for(len(ids)),
        )
        return information_requests.request(engine, command)

    return run(
        engine,
        Act.REQUEST_INFORMATION,
        ids,
        each,
        content={"message": message},
        actor=actor,
        now=now,
        request_id=request_id,
    )


@known_by("actor")
def reject(
    engine: Engine,
    *,
    ids: Sequence[int],
    reason_code: str,
    rationale: str,
    message: str,
    reapply: str,
    knowingly: bool = False,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> list[Result]:
    """Reject each with one reason, placeholders filled for each.

    Refuses each for which the reason's facts are not established, unless ``knowingly``.

    Refuses each whose eligibility is met: decide that on its own page. Raises
    NotAllowed, Invalid or RequestReused.
    """
    text_rules.require(rationale, what="The rationale", longest=decisions.LONGEST_TEXT)
    text_rules.require(
        message, what="The message to the applicant", longest=text_rules.LONGEST_MESSAGE
    )
    decisions.require_reason(reason_code)
    decisions.require_reapply(reapply)

    def each(id_: int, own: UUID) -> object:
        standing, filled = _filled(
            engine, id_, message, now, reapply=reapply, reason_code=reason_code
        )
        if standing.assessment.outcome is Outcome.MET:
            raise Invalid(
                "Eligibility is met, so rejecting goes against it. Decide it on its own page."
            )
        draft = decisions.Draft(
            outcome=Decision.REJECTED,
            reason_code=reason_code,
            rationale=rationale,
            message=filled,
            reapply=reapply,
            knowingly=knowingly,
        )
        command = decisions.Decide(
            application_id=id_,
            draft=draft,
            shown=standing.seen,
            actor=actor,
            at=now,
            request_id=own,
            leaves_after=undo_for(len(ids)),
        )
        return decisions.submit(engine, command)

    said = {"reason_code": reason_code, "rationale": rationale, "message": message}
    return run(
        engine,
        Act.DECIDE,
        ids,
        each,
        content={**said, "reapply": reapply, "knowingly": knowingly},
        actor=actor,
        now=now,
        request_id=request_id,
    )


@known_by("actor")
def latest(engine: Engine, *, actor: str, names: Sequence[str]) -> Run | None:
    """Return the actor's newest run under one of these names, for the report."""
    table = tables.bulk_runs
    with database.acting(engine) as connection:
        row = connection.execute(
            select(table)
            .where(table.c.actor == actor, table.c.act.in_(names))
            .order_by(table.c.at.desc())
            .limit(1)
        ).first()
    if row is None:
        return None
    results = {result["application_id"]: Result(**result) for result in row.results}
    if row.finished_at is None:
        # What was done since the results were last kept counts, also where the server stopped.
        own = {own_request(row.request_id, id_): id_ for id_ in row.asked}
        done = [own[request_id] for request_id in _acted(engine, own)]
        results |= {id_: Result(application_id=id_, done=True) for id_ in done}
    return Run(
        request_id=row.request_id,
        act=row.act,
        at=row.at,
        finished_at=row.finished_at,
        asked=tuple(row.asked),
        results=tuple(results[id_] for id_ in row.asked if id_ in results),
    )


@known_by("actor")
def run(
    engine: Engine,
    act: Act,
    ids: Sequence[int],
    each: Each,
    *,
    content: dict[str, Any],
    actor: str,
    now: datetime,
    request_id: UUID,
    name: str = "",
    noun: str = "application",
) -> list[Result]:
    """Call ``each`` with every id and store the run under ``name``, by default the act's."""
    asked = list(dict.fromkeys(ids))
    if not asked:
        raise Invalid(f"Choose at least one {noun}.")
    if len(asked) > MOST:
        raise Invalid(f"{len(asked):,} are selected; the limit is {MOST:,}. Narrow the filters.")
    if max(asked) > read.LARGEST_ID:
        raise Invalid("One of the selected applications does not exist. Select them again.")
    before = _begin(
        engine,
        act,
        name or act.name,
        asked,
        content=content,
        actor=actor,
        now=now,
        request_id=request_id,
    )
    if before is not None:
        return before
    own = {id_: own_request(request_id, id_) for id_ in asked}
    acted = _acted(engine, own.values())
    results = {id_: Result(application_id=id_, done=True) for id_ in asked if own[id_] in acted}
    # What a colleague is just acting on comes last, and once more.
    busy: list[int] = []
    for id_ in [id_ for id_ in asked if id_ not in results]:
        try:
            results[id_] = _one(id_, each, own[id_])
        except Busy:
            busy.append(id_)
        except DatabaseUnavailable:
            with suppress(DatabaseUnavailable):
                _keep(engine, request_id, list(results.values()))
            raise
        if len(results) % KEPT_EVERY == 0:
            _keep(engine, request_id, list(results.values()))
    results |= {id_: _once_more(id_, each, own[id_]) for id_ in busy}
    whole = [results[id_] for id_ in asked]
    _keep(engine, request_id, whole, finished_at=now)
    return whole


def _once_more(id_: int, each: Each, own: UUID) -> Result:
    try:
        return _one(id_, each, own)
    except Busy:
        said = "A colleague is changing it right now. Try again in a moment."
        return Result(application_id=id_, done=False, sentence=said)


def _keep(
    engine: Engine,
    request_id: UUID,
    results: Sequence[Result],
    *,
    finished_at: datetime | None = None,
) -> None:
    """Save the progress of the run, so that others see it and a crash leaves a report."""
    table = tables.bulk_runs
    with database.acting(engine) as connection:
        connection.execute(
            update(table)
            .where(table.c.request_id == request_id, table.c.finished_at.is_(None))
            .values(finished_at=finished_at, results=[asdict(result) for result in results])
        )


def _begin(
    engine: Engine,
    act: Act,
    name: str,
    asked: list[int],
    *,
    content: dict[str, Any],
    actor: str,
    now: datetime,
    request_id: UUID,
) -> list[Result] | None:
    """Save the run; return its results if the same request has finished before."""
    table = tables.bulk_runs
    with database.acting(engine) as connection:
        staff.require(connection, actor, act)
        connection.execute(
            insert(table)
            .values(
                request_id=request_id,
                actor=actor,
                act=name,
                at=now,
                asked=asked,
                content=_digest(content),
            )
            .on_conflict_do_nothing()
        )
        row = connection.execute(select(table).where(table.c.request_id == request_id)).one()
    first = (row.actor, row.act, list(row.asked), row.content)
    if first != (actor, name, asked, _digest(content)):
        raise RequestReused
    if row.finished_at is None:
        return None
    return [Result(**result) for result in row.results]


def _digest(content: dict[str, Any]) -> str:
    """Return a digest by which two texts can be compared, whatever was typed."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _acted(engine: Engine, own: Collection[UUID]) -> set[UUID]:
    """What a run that was cut off did already: its texts might be filled otherwise by now."""
    table = tables.requests
    with database.acting(engine) as connection:
        found = connection.execute(select(table.c.request_id).where(table.c.request_id.in_(own)))
        return set(found.scalars())


def _one(id_: int, each: Each, own: UUID) -> Result:
    try:
        each(id_, own)
    except DatabaseUnavailable:
        # Nothing more would go through; the run stays open and can be sent again.
        raise
    except Refusal as refusal:
        return Result(application_id=id_, done=False, sentence=str(refusal))
    return Result(application_id=id_, done=True)


def _filled(
    engine: Engine,
    id_: int,
    template: str,
    now: datetime,
    *,
    reapply: str | None = None,
    reason_code: str | None = None,
) -> tuple[Standing, str]:
    with database.acting(engine) as connection:
        context = judging.read_context(connection, now=now)
        application = read.read(connection, id_, now=now)
        standing = assessments.read(connection, id_, context)
        finding = reason_code and finding_of(connection, id_, standing, reason_code)
    values = canned_texts.values(
        username=application.username,
        application_id=id_,
        social_handle=application.social_handle,
        assessment=standing.assessment,
        window=context.freshness.window if context.freshness else None,
        policy=context.policy,
        on=utc_day(now),
        reapply=reapply,
        finding=finding or None,
    )
    return standing, canned_texts.fill(template, values)


def finding_of(
    connection: Connection, id_: int, standing: Standing, reason_code: str
) -> str | None:
    """Return what the message of a rejection says about this applicant."""
    if not REASONS_BY_CODE[reason_code].asserts:
        return None
    draft = decisions.Draft(
        outcome=Decision.REJECTED, rationale="", message="", reason_code=reason_code
    )
    missing = decisions.unproven(draft, standing, checklist.outcomes(connection, id_))
    return canned_texts.finding(reason_code, standing.assessment, missing)
