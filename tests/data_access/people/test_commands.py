"""What is true of every command off an application: a repeat, and another form under its id."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

import data_access
from data_access.applications.commands import ApplicationCommand
from data_access.db import tables
from data_access.db.errors import NotAllowed, Refusal, RequestReused
from data_access.eligibility import policies
from data_access.explore import saved_views
from data_access.loading import form_maps, imports, kept_rows
from data_access.loading.form_map import FormMap
from data_access.messages import settings, templates
from data_access.people import preferences, sessions
from data_access.people.commands import Command
from data_access.people.staff_changes import StaffCommand
from data_access.policy import drafts, holiday_changes, withdrawals
from data_access.policy.holiday_changes import ChangeKind
from data_access.reports import weekly_settings
from data_access.review.bulk_runs import BulkCommand
from program.messages.delivery import MessageKind
from program.policy.drafts import Draft
from program.reports.weekly import Schedule
from program.review.done import DONE
from program.review.permissions import Role, may
from program.review.queue_filters import Filters
from tests.builders import NOW, STAFF, add_account, add_staff
from tests.cases import every
from tests.data_access.clicks import ADA, ANA, MIRA, command

LEO, GONE = "leo@example.com", "gone@example.com"
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
EXPORT = "UID,Social Media Account Name,Created\n1,@new,2026-03-01T10:00:00Z\n9,@gone,\n"


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_account(conn, 1)
        conn.execute(text(f"insert into review.staff values ('{LEO}', 'Leo', 'manager', true)"))
    return engine


def written(desk: Engine, **given: Any) -> drafts.Kept:
    with desk.connect() as conn:
        base = policies.newest(conn)
    draft = Draft(
        policy=replace(base, min_new_users=6), note="More growth", base_version=1, **given
    )
    drafts.save(desk, command(drafts.SaveDraft, draft=draft, actor=MIRA))
    return own(desk)


def own(desk: Engine) -> drafts.Kept:
    with desk.connect() as conn:
        kept = drafts.own(conn, MIRA)
    assert kept is not None
    return kept


def of(kept: drafts.Kept) -> dict[str, Any]:
    return {"draft_id": kept.draft_id, "revision": kept.revision}


def proposed(desk: Engine, **given: Any) -> dict[str, Any]:
    drafts.propose(desk, command(drafts.ProposeDraft, actor=MIRA, **of(written(desk, **given))))
    return of(own(desk))


def scheduled(desk: Engine) -> int:
    draft = proposed(desk, effective_from=APRIL)
    return drafts.confirm(desk, command(drafts.ConfirmDraft, actor=LEO, **draft))


def withdrawing(desk: Engine) -> int:
    fields = {"version": scheduled(desk), "reason": "Too early", "actor": MIRA}
    return withdrawals.propose(desk, command(withdrawals.ProposeWithdrawal, **fields))


def silence(**given: Any) -> settings.SaveSettings:
    fields = {
        "silent": True,
        "send_rejections": True,
        "email_instead": (),
        "language_by_country": {},
        "note": "Quiet",
        "shown_version": 1,
        "ask": True,
    }
    return command(settings.SaveSettings, actor=MIRA, **fields | given)


def silencing(desk: Engine) -> int:
    settings.save(desk, silence())
    with desk.connect() as conn:
        waits = settings.waiting(conn)
    assert waits is not None
    return waits.proposal_id


def view(**given: Any) -> saved_views.SaveView:
    return command(
        saved_views.SaveView, **{"name": "Met", "view": Filters(), "shared": False, **given}
    )


def a_map(**given: Any) -> form_maps.SaveMap:
    return command(
        form_maps.SaveMap, **{"name": "Main", "definition": {}, "expected": None, **given}
    )


def an_import(**given: Any) -> imports.MakeImport:
    upload = imports.Upload(name="grid.csv", content=EXPORT.encode())
    fields = {"upload": upload, "read_by": FormMap(), "now": APRIL, **given}
    return command(imports.MakeImport, **fields)


def kept_row(desk: Engine) -> kept_rows.KeptRow:
    imports.make(desk, an_import())
    with desk.connect() as conn:
        ((row,), _) = kept_rows.listed(conn)
    return row


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command that is possible now, and another form's fields."""

    verb: Callable[[Engine, Any], object]
    ready: Callable[[Engine], Command]
    otherwise: dict[str, Any]


CASES: dict[type[Command], Case] = {
    holiday_changes.ChangeHoliday: Case(
        verb=holiday_changes.change,
        ready=lambda _: command(
            holiday_changes.ChangeHoliday,
            kind=ChangeKind.ADDED,
            day=NOW.date() + timedelta(days=9),
            name="Harvest",
            reason="By law",
            actor=MIRA,
        ),
        otherwise={"name": "Fair"},
    ),
    preferences.PutPreference: Case(
        verb=preferences.put,
        ready=lambda _: command(preferences.PutPreference, name="queue_columns", value=["due"]),
        otherwise={"value": ["owner"]},
    ),
    sessions.SignOutEverywhere: Case(
        verb=sessions.sign_out_everywhere,
        ready=lambda _: command(sessions.SignOutEverywhere),
        otherwise={"actor": ADA},
    ),
    saved_views.SaveView: Case(
        verb=saved_views.save, ready=lambda _: view(), otherwise={"view": Filters(search="x")}
    ),
    saved_views.RemoveView: Case(
        verb=saved_views.remove,
        ready=lambda desk: command(saved_views.RemoveView, view_id=saved_views.save(desk, view())),
        otherwise={"view_id": 0},
    ),
    settings.SaveSettings: Case(
        verb=settings.save, ready=lambda _: silence(), otherwise={"note": "Another"}
    ),
    settings.ConfirmSilencing: Case(
        verb=settings.confirm,
        ready=lambda desk: command(
            settings.ConfirmSilencing, proposal_id=silencing(desk), actor=ADA
        ),
        otherwise={"proposal_id": 0},
    ),
    settings.DeclineSilencing: Case(
        verb=settings.decline,
        ready=lambda desk: command(
            settings.DeclineSilencing, proposal_id=silencing(desk), actor=ADA
        ),
        otherwise={"proposal_id": 0},
    ),
    weekly_settings.SaveWeeklyMail: Case(
        verb=weekly_settings.save,
        ready=lambda _: command(
            weekly_settings.SaveWeeklyMail,
            is_on=True,
            schedule=Schedule(weekday=1, hour=8, zone="UTC"),
            recipients=(MIRA,),
            shown_version=0,
            actor=MIRA,
        ),
        otherwise={"recipients": (LEO,)},
    ),
    templates.SaveTemplate: Case(
        verb=templates.save,
        ready=lambda _: command(
            templates.SaveTemplate,
            kind=MessageKind.OTHER,
            language="en",
            subject="About you",
            body="{{message}}",
            shown_version=1,
            actor=MIRA,
        ),
        otherwise={"subject": "Another"},
    ),
    drafts.SaveDraft: Case(
        verb=drafts.save,
        ready=lambda desk: command(
            drafts.SaveDraft, draft=written(desk).draft, actor=MIRA, **of(own(desk))
        ),
        otherwise={"revision": 0},
    ),
    drafts.DiscardDraft: Case(
        verb=drafts.discard,
        ready=lambda desk: command(
            drafts.DiscardDraft, draft_id=written(desk).draft_id, actor=MIRA
        ),
        otherwise={"draft_id": 0},
    ),
    drafts.ProposeDraft: Case(
        verb=drafts.propose,
        ready=lambda desk: command(drafts.ProposeDraft, actor=MIRA, **of(written(desk))),
        otherwise={"revision": 0},
    ),
    drafts.ConfirmDraft: Case(
        verb=drafts.confirm,
        ready=lambda desk: command(drafts.ConfirmDraft, actor=LEO, **proposed(desk)),
        otherwise={"revision": 0},
    ),
    drafts.DeclineDraft: Case(
        verb=drafts.decline,
        ready=lambda desk: command(drafts.DeclineDraft, reason="No", actor=LEO, **proposed(desk)),
        otherwise={"reason": "Too strict"},
    ),
    drafts.CancelProposal: Case(
        verb=drafts.cancel,
        ready=lambda desk: command(
            drafts.CancelProposal, draft_id=proposed(desk)["draft_id"], actor=MIRA
        ),
        otherwise={"draft_id": 0},
    ),
    withdrawals.ProposeWithdrawal: Case(
        verb=withdrawals.propose,
        ready=lambda desk: command(
            withdrawals.ProposeWithdrawal, version=scheduled(desk), reason="Early", actor=MIRA
        ),
        otherwise={"reason": "Late"},
    ),
    withdrawals.ConfirmWithdrawal: Case(
        verb=withdrawals.confirm,
        ready=lambda desk: command(
            withdrawals.ConfirmWithdrawal, withdrawal_id=withdrawing(desk), actor=LEO
        ),
        otherwise={"withdrawal_id": 0},
    ),
    withdrawals.DeclineWithdrawal: Case(
        verb=withdrawals.decline,
        ready=lambda desk: command(
            withdrawals.DeclineWithdrawal, withdrawal_id=withdrawing(desk), reason="No", actor=LEO
        ),
        otherwise={"reason": "Keep it"},
    ),
    form_maps.SaveMap: Case(
        verb=form_maps.save, ready=lambda _: a_map(), otherwise={"name": "Another"}
    ),
    form_maps.RetireMap: Case(
        verb=form_maps.retire,
        ready=lambda desk: command(form_maps.RetireMap, map_id=form_maps.save(desk, a_map())),
        otherwise={"map_id": 0},
    ),
    imports.MakeImport: Case(
        verb=imports.make, ready=lambda _: an_import(), otherwise={"map_name": "Another"}
    ),
    kept_rows.RetryRows: Case(
        verb=kept_rows.retry,
        ready=lambda desk: command(kept_rows.RetryRows, row_ids=[kept_row(desk).row_id], now=APRIL),
        otherwise={"cells": {0: ["9"]}},
    ),
    kept_rows.DismissRows: Case(
        verb=kept_rows.dismiss,
        ready=lambda desk: command(
            kept_rows.DismissRows, row_ids=[kept_row(desk).row_id], reason="Spam", now=APRIL
        ),
        otherwise={"reason": "Nobody's"},
    ),
}
Test = Callable[..., None]
every_command = pytest.mark.parametrize("case", CASES.values(), ids=lambda c: c.verb.__qualname__)


EVERY_ROW = " union all ".join(
    f"select '{name}', t::text from {name} t"
    for name, table in tables.metadata.tables.items()
    if table.schema == "review"
)


def stored(desk: Engine) -> list[tuple[str, str]]:
    """Return every row of staff's tables, as text."""
    with desk.connect() as conn:
        return [tuple(row) for row in conn.execute(text(f"{EVERY_ROW} order by 1, 2"))]


def some_commands(place: int) -> Callable[[Test], Test]:
    """Try all commands, and in `make test` every fourth, beginning at this place.

    For claims that one piece of code keeps for all.
    """
    cases = list(CASES.values())
    tried = every(4, [*cases[place:], *cases[:place]])
    named = pytest.mark.parametrize("case", tried, ids=lambda c: c.verb.__qualname__)
    return lambda test: pytest.mark.sampled(named(test))


@some_commands(0)
def test_a_repeat_returns_the_first_result_and_writes_nothing(desk: Engine, case: Case) -> None:
    fields = case.ready(desk)
    first = case.verb(desk, fields)
    before = stored(desk)

    # The retry comes later, and its person's address is spelled differently.
    again = replace(fields, at=fields.at + timedelta(seconds=9), actor=fields.actor.upper())

    assert case.verb(desk, again) == first
    assert stored(desk) == before


@some_commands(2)
def test_another_form_under_the_same_id_is_refused(desk: Engine, case: Case) -> None:
    fields = case.ready(desk)
    case.verb(desk, fields)
    before = stored(desk)

    for other in (case.otherwise, {"actor": ANA if fields.actor != ANA else MIRA}):
        with pytest.raises(RequestReused):
            case.verb(desk, replace(fields, **other))

    assert stored(desk) == before


@every_command
def test_each_of_five_people_may_what_their_role_may(desk: Engine, case: Case) -> None:
    with desk.begin() as conn:
        gone = "insert into review.staff values (:e, 'Gone', 'manager', false)"
        conn.execute(text(gone), {"e": GONE})
    fields = case.ready(desk)
    before = stored(desk)
    allowed = [email for email, role in STAFF.items() if may(Role(role), fields.act)]

    for actor in {*STAFF, GONE} - set(allowed):
        with pytest.raises(NotAllowed, match=r"Your role|staff list"):
            case.verb(desk, replace(fields, actor=actor, request_id=uuid4()))
    assert stored(desk) == before

    assert fields.actor in {*allowed, LEO}
    for actor in allowed:
        # What one of them did may leave nothing to do, or belong to them alone.
        said = refusal(case, desk, replace(fields, actor=actor, request_id=uuid4()))
        assert "Your role" not in said, actor


def refusal(case: Case, desk: Engine, fields: Command) -> str:
    """Return why the command was refused; empty if it was not."""
    try:
        case.verb(desk, fields)
    except Refusal as refused:
        return str(refused)
    return ""


def names(of: type[Command]) -> set[str]:
    """Return the names of a command and its subclasses; a class with slots exists twice."""
    return {of.__name__}.union(*(names(one) for one in of.__subclasses__()))


def test_every_command_is_tested_here_or_with_its_kind() -> None:
    # Commands on one or many applications have their own tables.
    elsewhere = (
        names(ApplicationCommand)
        | names(BulkCommand)
        | names(StaffCommand)
        | {"TakeNext", "RetryAll"}
    )
    groups = {"Command", "DraftCommand", "MapCommand", "PolicyCommand", "SettingsCommand"}

    assert names(Command) - elsewhere - groups == {one.__name__ for one in CASES}


def leaves(of: type[Command]) -> set[str]:
    """Return the names of the product's own commands below a class: those without subclasses."""
    below = of.__subclasses__()
    if not below:
        return {of.__name__} if of.__module__.startswith("data_access.") else set()
    # A class with slots exists twice, and the one that is left over has no subclasses.
    names_below = {one.__name__ for one in below if one.__subclasses__()}
    return set().union(*(leaves(one) for one in below)) - names_below


def test_what_each_command_did_has_words() -> None:
    for module in pkgutil.walk_packages(data_access.__path__, "data_access."):
        if not module.name.endswith("__main__") and "migrations" not in module.name:
            import_module(module.name)

    assert leaves(Command) == set(DONE)
