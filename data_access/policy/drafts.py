"""Drafting the next policy, and publishing it as two people.

Whoever publishes first moves the base of the others' drafts, and they are told so. A draft is
written against the version that rules when it is to begin: the one in force for what is urgent,
otherwise one that is scheduled.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from data_access.db import tables, text_rules
from data_access.db.errors import (
    BaseMoved,
    Contradictory,
    NotAllowed,
    NotFound,
    NotInState,
)
from data_access.eligibility import policies
from data_access.people.identities import known_by
from data_access.policy import acts
from data_access.policy.acts import Asked
from program.policy import drafts, settings
from program.policy.drafts import LONGEST_NOTE, Draft
from program.policy.policy import Policy

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An open draft as it is kept. ``declined_because`` is what a second manager last wrote."""

    draft_id: int
    revision: int
    draft: Draft
    author: str
    saved_at: datetime
    proposed_at: datetime | None
    declined_because: str | None


@known_by("actor")
def save(
    engine: Engine,
    *,
    draft: Draft,
    draft_id: int | None,
    revision: int | None = None,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Keep a draft, a new one where ``draft_id`` is ``None``; returns its id.

    ``revision`` is what the form was drawn from. Raises NotAllowed, NotFound, NotInState,
    BaseMoved, Contradictory, Invalid or RequestReused.
    """
    note = text_rules.allow(draft.note, what="The note", longest=LONGEST_NOTE)
    _require_sound(draft, now)
    given = {
        "base_version": draft.base_version,
        "settings": settings.to_json(draft.policy),
        "note": note,
        "effective_from": draft.effective_from,
    }
    moment = draft.effective_from.isoformat() if draft.effective_from else None
    content = {**given, "effective_from": moment, "draft_id": draft_id, "revision": revision}
    kind = "drafted" if draft_id is None else "saved"
    asked = Asked(kind=kind, actor=actor, now=now, request_id=request_id, content=content)

    def do(connection: Connection) -> int:
        base = _require_known_base(connection, draft.base_version, now)
        before = base
        if draft_id is None:
            _require_no_other(connection, actor)
            kept_id = _insert(connection, author=actor, saved_at=now, **given)
        else:
            kept = _require_own(connection, draft_id, actor)
            _require_written(kept)
            _require_seen(kept, revision)
            before = kept.draft.policy
            kept_id = draft_id
            _update(connection, kept, saved_at=now, reason=None, **given)
        acts.record_event(connection, asked, kept_id, kept_id, changes=_moved(before, draft.policy))
        return kept_id

    return acts.perform(engine, asked, do)


@known_by("actor")
def discard(engine: Engine, *, draft_id: int, actor: str, now: datetime, request_id: UUID) -> int:
    """Throw one's own draft away; it stays in the trail. Returns its id.

    Raises NotAllowed, NotFound, NotInState or RequestReused.
    """
    asked = _asked("discarded", draft_id, actor, now, request_id)

    def do(connection: Connection) -> int:
        kept = _require_own(connection, draft_id, actor)
        _require_written(kept)
        _update(connection, kept, closed_as="discarded", closed_by=actor, closed_at=now)
        acts.record_event(connection, asked, draft_id, draft_id)
        return draft_id

    return acts.perform(engine, asked, do)


@known_by("actor")
def propose(
    engine: Engine,
    *,
    draft_id: int,
    revision: int,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Ask a second manager to publish one's own draft; returns its id.

    Raises NotAllowed, NotFound, NotInState, BaseMoved, Contradictory or RequestReused.
    """
    asked = _asked("proposed", draft_id, actor, now, request_id, revision=revision)

    def do(connection: Connection) -> int:
        kept = _require_own(connection, draft_id, actor)
        _require_written(kept)
        _require_seen(kept, revision)
        base = _require_publishable(connection, kept.draft, now)
        _update(connection, kept, proposed_at=now, reason=None)
        changes = _moved(base, kept.draft.policy)
        acts.record_event(
            connection, asked, draft_id, draft_id, changes=changes, note=kept.draft.note
        )
        return draft_id

    return acts.perform(engine, asked, do)


@known_by("actor")
def confirm(
    engine: Engine,
    *,
    draft_id: int,
    revision: int,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Publish a colleague's proposal as its second manager; returns the new version.

    Raises NotAllowed, NotFound, NotInState, BaseMoved, Contradictory or RequestReused.
    """
    asked = _asked("confirmed", draft_id, actor, now, request_id, revision=revision)

    def do(connection: Connection) -> int:
        kept = _require_proposed(connection, draft_id, revision)
        if actor == kept.author:
            raise NotAllowed("You proposed this yourself; another manager must confirm it.")
        base = _require_publishable(connection, kept.draft, now)
        policy = _next_version(policies.next_number(connection), kept, now)
        policies.add(connection, policy)
        _update(
            connection,
            kept,
            closed_as="published",
            closed_by=actor,
            closed_at=now,
            version=policy.version,
        )
        acts.record_event(
            connection,
            asked,
            draft_id,
            policy.version,
            version=policy.version,
            effective_from=policy.effective_from.isoformat(),
            changes=_moved(base, policy),
        )
        return policy.version

    return acts.perform(engine, asked, do)


@known_by("actor")
def decline(
    engine: Engine,
    *,
    draft_id: int,
    revision: int,
    reason: str,
    actor: str,
    now: datetime,
    request_id: UUID,
) -> int:
    """Give a colleague's proposal back with a reason; it is a draft again. Returns its id.

    Raises NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    text = text_rules.require(reason, what="The reason", longest=LONGEST_REASON)
    asked = _asked("declined", draft_id, actor, now, request_id, revision=revision, reason=text)

    def do(connection: Connection) -> int:
        kept = _require_proposed(connection, draft_id, revision)
        if actor == kept.author:
            raise NotAllowed("You proposed this yourself. Take it back instead.")
        _update(connection, kept, proposed_at=None, reason=text)
        acts.record_event(connection, asked, draft_id, draft_id, reason=text)
        return draft_id

    return acts.perform(engine, asked, do)


@known_by("actor")
def cancel(engine: Engine, *, draft_id: int, actor: str, now: datetime, request_id: UUID) -> int:
    """Take one's own proposal back; it is a draft again. Returns its id.

    Raises NotAllowed, NotFound, NotInState or RequestReused.
    """
    asked = _asked("cancelled", draft_id, actor, now, request_id)

    def do(connection: Connection) -> int:
        kept = _require_own(connection, draft_id, actor)
        if kept.proposed_at is None:
            raise NotInState("This draft is not proposed. Reload the page.")
        _update(connection, kept, proposed_at=None)
        acts.record_event(connection, asked, draft_id, draft_id)
        return draft_id

    return acts.perform(engine, asked, do)


@known_by("author")
def own(connection: Connection, author: str) -> Kept | None:
    """The draft that ``author`` has open, if they have one."""
    found = [kept for kept in open_ones(connection) if kept.author == author]
    return found[0] if found else None


def open_ones(connection: Connection) -> list[Kept]:
    """All drafts that are open: proposals first, then as they were saved last."""
    table = tables.policy_drafts
    order = (table.c.proposed_at.asc().nulls_last(), table.c.saved_at.desc())
    rows = connection.execute(select(table).where(table.c.closed_as.is_(None)).order_by(*order))
    return [_kept(connection, row) for row in rows.mappings()]


def _asked(
    kind: str,
    draft_id: int,
    actor: str,
    now: datetime,
    request_id: UUID,
    **content: Any,  # noqa: ANN401 - plain JSON values
) -> Asked:
    return Asked(
        kind=kind,
        actor=actor,
        now=now,
        request_id=request_id,
        content={"draft_id": draft_id, **content},
    )


def _moved(old: Policy, new: Policy) -> list[dict[str, Any]]:
    before, after = settings.to_json(old), settings.to_json(new)
    return [
        {
            "setting": change.setting.name,
            "old": before[change.setting.name],
            "new": after[change.setting.name],
        }
        for change in settings.changes(old, new)
    ]


def _insert(connection: Connection, **values: Any) -> int:  # noqa: ANN401
    table = tables.policy_drafts
    draft_id: int = connection.execute(
        insert(table).values(**values).returning(table.c.draft_id)
    ).scalar_one()
    return draft_id


def _update(connection: Connection, kept: Kept, **values: Any) -> None:  # noqa: ANN401
    table = tables.policy_drafts
    connection.execute(
        update(table)
        .where(table.c.draft_id == kept.draft_id)
        .values(revision=kept.revision + 1, **values)
    )


def _require_known_base(connection: Connection, base_version: int, now: datetime) -> Policy:
    """The version a draft is written against, if it rules or is still to rule."""
    ruling = policies.in_force(connection, now=now)
    schedule = (ruling, *policies.scheduled(connection, now=now))
    found = next((one for one in schedule if one.version == base_version), None)
    if found is None:
        raise BaseMoved(base_version, ruling)
    return found


def _require_publishable(connection: Connection, draft: Draft, now: datetime) -> Policy:
    """The base, if it still rules when the draft is to begin and nothing speaks against it."""
    base = _require_known_base(connection, draft.base_version, now)
    found = drafts.contradictions(draft, base=base, now=now)
    if found:
        raise Contradictory(found)
    replaced = policies.in_force(connection, now=draft.effective_from or now)
    if replaced.version != base.version:
        raise BaseMoved(base.version, replaced)
    return base


def _require_sound(draft: Draft, now: datetime) -> None:
    found = settings.faults(draft.policy)
    late = drafts.too_late(draft.effective_from, now)
    if found or late:
        raise Contradictory((*found, *((late,) if late else ())))


def _require_no_other(connection: Connection, actor: str) -> None:
    if own(connection, actor) is not None:
        raise NotInState("You already have a draft. Reload the page and edit it.")


def _require_own(connection: Connection, draft_id: int, actor: str) -> Kept:
    kept = _require_open(connection, draft_id)
    if kept.author != actor:
        raise NotAllowed(f"This is {kept.author}'s draft. Write one of your own.")
    return kept


def _require_open(connection: Connection, draft_id: int) -> Kept:
    table = tables.policy_drafts
    row = connection.execute(select(table).where(table.c.draft_id == draft_id)).mappings().first()
    if row is None:
        raise NotFound("This draft does not exist.")
    if row["closed_as"] is not None:
        raise NotInState(
            f"This draft was {row['closed_as']} by {row['closed_by']}. Reload the page."
        )
    return _kept(connection, row)


def _require_proposed(connection: Connection, draft_id: int, revision: int) -> Kept:
    kept = _require_open(connection, draft_id)
    if kept.proposed_at is None:
        raise NotInState("This proposal was taken back. Reload the page.")
    _require_seen(kept, revision)
    return kept


def _require_written(kept: Kept) -> None:
    if kept.proposed_at is not None:
        raise NotInState("This waits for a second manager. Take the proposal back first.")


def _require_seen(kept: Kept, revision: int | None) -> None:
    if kept.revision != revision:
        raise NotInState("The draft changed since this page was shown. Look at it again.")


def _next_version(number: int, kept: Kept, now: datetime) -> Policy:
    return replace(
        kept.draft.policy,
        version=number,
        effective_from=kept.draft.effective_from or now,
        author=kept.author,
        note=kept.draft.note,
    )


def _kept(connection: Connection, row: RowMapping) -> Kept:
    base = policies.version(connection, row["base_version"])
    return Kept(
        draft_id=row["draft_id"],
        revision=row["revision"],
        draft=Draft(
            policy=settings.from_json(row["settings"], base),
            note=row["note"],
            base_version=row["base_version"],
            effective_from=row["effective_from"],
        ),
        author=row["author"],
        saved_at=row["saved_at"],
        proposed_at=row["proposed_at"],
        declined_because=row["reason"],
    )
