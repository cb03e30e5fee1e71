"""Policy drafts, from writing to publishing by two managers.

A draft is based on the version in force when it takes effect: the current one for an immediate
change, otherwise possibly a scheduled one. Publishing changes that base for all other drafts; their
authors are shown this.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, insert, or_, select, update

from data_access.applications.read import LARGEST_ID
from data_access.db import tables, text_rules
from data_access.db.errors import (
    BaseMoved,
    Contradictory,
    NotAllowed,
    NotFound,
    NotInState,
)
from data_access.eligibility import policies
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.policy import trail
from data_access.policy.trail import PolicyCommand
from program.policy import drafts, settings, thresholds
from program.policy.drafts import LONGEST_NOTE, Draft
from program.policy.policy import Policy

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An open draft as stored. ``declined_because`` is the second manager's newest reason."""

    draft_id: int
    revision: int
    draft: Draft
    author: str
    saved_at: datetime
    proposed_at: datetime | None
    declined_because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft(PolicyCommand):
    """Save a draft, a new one without ``draft_id``.

    ``revision`` is the one that filled the form.
    """

    draft: Draft
    draft_id: int | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCommand(PolicyCommand):
    """A command on an existing draft."""

    draft_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardDraft(DraftCommand):
    """Discard one's own draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelProposal(DraftCommand):
    """Cancel one's own proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeDraft(DraftCommand):
    """Propose one's own draft, as of ``revision``, to a second manager."""

    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDraft(DraftCommand):
    """Publish a colleague's proposal, as of ``revision``."""

    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineDraft(DraftCommand):
    """Return a colleague's proposal, as of ``revision``, with a reason."""

    revision: int
    reason: str


def save(engine: Engine, command: SaveDraft) -> int:
    """Save a draft and return its id.

    Raises NotAllowed, NotFound, NotInState, BaseMoved, Contradictory, Invalid or RequestReused.
    """
    draft = command.draft
    note = text_rules.allow(draft.note, what="The note", longest=LONGEST_NOTE)
    _require_sound(draft, command.at)
    values = {
        "base_version": draft.base_version,
        "settings": settings.to_json(draft.policy),
        "note": note,
        "effective_from": draft.effective_from,
        "saved_at": command.at,
    }

    def do(connection: Connection) -> int:
        before = _require_known_base(connection, draft.base_version, command.at)
        if command.draft_id is None:
            _require_no_other(connection, command.actor)
            kind, draft_id = "drafted", _insert(connection, author=command.actor, **values)
        else:
            kept = _require_own(connection, command.draft_id, command.actor)
            _require_written(kept)
            _require_seen(kept, command.revision)
            before, kind, draft_id = kept.draft.policy, "saved", kept.draft_id
            _update(connection, kept, reason=None, **values)
        changes = _moved(before, draft.policy)
        trail.record_event(connection, command, kind, draft_id, changes=changes)
        return draft_id

    return trail.perform(engine, command, do)


def discard(engine: Engine, command: DiscardDraft) -> int:
    """Discard one's own draft, which stays in the trail; returns its id.

    Raises NotAllowed, NotFound, NotInState or RequestReused.
    """

    def do(connection: Connection) -> int:
        kept = _require_own(connection, command.draft_id, command.actor)
        _require_written(kept)
        _close(connection, kept, command, "discarded")
        trail.record_event(connection, command, "discarded", kept.draft_id)
        return kept.draft_id

    return trail.perform(engine, command, do)


def propose(engine: Engine, command: ProposeDraft) -> int:
    """Propose one's own draft to a second manager; returns its id.

    Raises NotAllowed, NotFound, NotInState, BaseMoved, Contradictory or RequestReused.
    """

    def do(connection: Connection) -> int:
        kept = _require_own(connection, command.draft_id, command.actor)
        _require_written(kept)
        _require_seen(kept, command.revision)
        base = _require_publishable(connection, kept.draft, command.at)
        _update(connection, kept, proposed_at=command.at, reason=None)
        trail.record_event(
            connection,
            command,
            "proposed",
            kept.draft_id,
            changes=_moved(base, kept.draft.policy),
            note=kept.draft.note,
        )
        return kept.draft_id

    return trail.perform(engine, command, do)


def confirm(engine: Engine, command: ConfirmDraft) -> int:
    """Publish a colleague's proposal as its second manager; returns the new version.

    Raises NotAllowed, NotFound, NotInState, BaseMoved, Contradictory or RequestReused.
    """

    def do(connection: Connection) -> int:
        kept = _require_proposed(connection, command.draft_id, command.revision)
        if command.actor == kept.author:
            raise NotAllowed("You proposed this yourself; another manager must confirm it.")
        base = _require_publishable(connection, kept.draft, command.at)
        policy = _next_version(policies.next_number(connection), kept, command.at)
        policies.add(connection, policy)
        _close(connection, kept, command, "published", version=policy.version)
        trail.record_event(
            connection,
            command,
            "confirmed",
            kept.draft_id,
            version=policy.version,
            effective_from=policy.effective_from.isoformat(),
            changes=_moved(base, policy),
        )
        return policy.version

    return trail.perform(engine, command, do)


def decline(engine: Engine, command: DeclineDraft) -> int:
    """Turn a colleague's proposal back into a draft, with a reason; returns its id.

    Raises NotAllowed, NotFound, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)

    def do(connection: Connection) -> int:
        kept = _require_proposed(connection, command.draft_id, command.revision)
        if command.actor == kept.author:
            raise NotAllowed("You proposed this yourself. Take it back instead.")
        _update(connection, kept, proposed_at=None, reason=reason)
        trail.record_event(connection, command, "declined", kept.draft_id, reason=reason)
        return kept.draft_id

    return trail.perform(engine, command, do)


def cancel(engine: Engine, command: CancelProposal) -> int:
    """Turn one's own proposal back into a draft; returns its id.

    Raises NotAllowed, NotFound, NotInState or RequestReused.
    """

    def do(connection: Connection) -> int:
        kept = _require_own(connection, command.draft_id, command.actor)
        if kept.proposed_at is None:
            raise NotInState("This draft is not proposed. Reload the page.")
        _update(connection, kept, proposed_at=None)
        trail.record_event(connection, command, "cancelled", kept.draft_id)
        return kept.draft_id

    return trail.perform(engine, command, do)


@known_by("author")
def own(connection: Connection, author: str) -> Kept | None:
    """Return the author's open draft, if there is one."""
    found = [kept for kept in open_ones(connection) if kept.author == author]
    return found[0] if found else None


def open_ones(connection: Connection) -> list[Kept]:
    """Return all open drafts: proposals first, then the last saved first."""
    table = tables.policy_drafts
    order = (table.c.proposed_at.asc().nulls_last(), table.c.saved_at.desc())
    rows = connection.execute(select(table).where(table.c.closed_as.is_(None)).order_by(*order))
    return [_kept(connection, row) for row in rows.mappings()]


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


def _close(
    connection: Connection,
    kept: Kept,
    command: PolicyCommand,
    closed_as: str,
    version: int | None = None,
) -> None:
    _update(
        connection,
        kept,
        closed_as=closed_as,
        closed_by=command.actor,
        closed_at=command.at,
        version=version,
    )


def _require_known_base(connection: Connection, base_version: int, now: datetime) -> Policy:
    """Return the version that a draft is based on if it is in force or scheduled."""
    ruling = policies.in_force(connection, now=now)
    schedule = (ruling, *policies.scheduled(connection, now=now))
    found = next((one for one in schedule if one.version == base_version), None)
    if found is None:
        raise BaseMoved(base_version, ruling, by=staff.name_of(connection, ruling.author))
    return found


def _require_publishable(connection: Connection, draft: Draft, now: datetime) -> Policy:
    """Return the base if it is in force when the draft takes effect and no rule is broken."""
    base = _require_known_base(connection, draft.base_version, now)
    found = drafts.contradictions(draft, base=base, now=now)
    if found:
        raise Contradictory(found)
    replaced = policies.in_force(connection, now=draft.effective_from or now)
    if replaced.version != base.version:
        raise BaseMoved(base.version, replaced, by=staff.name_of(connection, replaced.author))
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
    row = _row(connection, draft_id, tables.policy_drafts.c.author == actor)
    if row is None:
        raise NotFound("This draft does not exist, or it belongs to a colleague.")
    return _require_open(connection, row)


def _require_proposed(connection: Connection, draft_id: int, revision: int) -> Kept:
    table = tables.policy_drafts.c
    was_shown = or_(table.proposed_at.is_not(None), table.closed_as == "published")
    row = _row(connection, draft_id, was_shown)
    if row is None:
        raise NotInState("This proposal was taken back, or never existed. Reload the page.")
    kept = _require_open(connection, row)
    _require_seen(kept, revision)
    return kept


def _row(connection: Connection, draft_id: int, shown: ColumnElement[bool]) -> RowMapping | None:
    """Return the draft if it is shown to the actor; another is answered like one that is absent."""
    table = tables.policy_drafts
    if not 0 < draft_id <= LARGEST_ID:
        return None
    wanted = select(table).where(table.c.draft_id == draft_id, shown)
    return connection.execute(wanted).mappings().first()


def _require_open(connection: Connection, row: RowMapping) -> Kept:
    if row["closed_as"] is not None:
        who = staff.name_of(connection, row["closed_by"])
        raise NotInState(f"This draft was {row['closed_as']} by {who}. Reload the page.")
    return _kept(connection, row)


def _require_written(kept: Kept) -> None:
    if kept.proposed_at is not None:
        raise NotInState("This waits for a second manager. Take the proposal back first.")


def _require_seen(kept: Kept, revision: int | None) -> None:
    if kept.revision != revision:
        raise NotInState("The draft changed since this page was shown. Review it again.")


def _next_version(number: int, kept: Kept, now: datetime) -> Policy:
    return replace(
        thresholds.complete(kept.draft.policy),
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
