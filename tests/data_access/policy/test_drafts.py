"""Drafting and publishing a policy: two managers, one history, and no overtaking."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from data_access.db.errors import (
    BaseMoved,
    Contradictory,
    NotAllowed,
    NotFound,
    NotInState,
    Refusal,
    RequestReused,
)
from data_access.eligibility import policies
from data_access.people.commands import Command
from data_access.policy import drafts, trail, withdrawals
from program.policy.drafts import Draft
from program.policy.policy import Policy, ruling_at
from program.review.permissions import Act, Role, may
from program.risk.signals import DEFAULTS
from tests.builders import NOW, STAFF, rewriting
from tests.cases import examples
from tests.data_access import clicks

MIRA, LEO = "mira@example.com", "leo@example.com"
LATER = NOW + timedelta(hours=1)
APRIL, SECOND, ONE_DAY = datetime(2026, 4, 1, tzinfo=UTC), timedelta(seconds=1), timedelta(days=1)
CommandT = TypeVar("CommandT", bound=Command)
STRANGERS = [email for email, role in STAFF.items() if role != Role.MANAGER]


@pytest.fixture
def office(desk: Engine) -> Iterator[Engine]:
    """Two managers, version 1, and no draft."""
    with desk.begin() as conn:
        conn.execute(
            text(
                "insert into review.staff values ('leo@example.com', 'Leo', 'manager', true)"
                " on conflict do nothing"
            )
        )
    yield desk
    with desk.begin() as conn, rewriting(conn, "policy_events", "policies"):
        for statement in (
            "delete from review.policy_events",
            "delete from review.policy_drafts",
            "delete from review.policy_withdrawals",
            "delete from review.policies where version > 1",
        ):
            conn.execute(text(statement))


def newest(engine: Engine) -> Policy:
    with engine.connect() as conn:
        return policies.newest(conn)


def written(engine: Engine, by: str = MIRA, **given: Any) -> drafts.Kept:
    """Save a draft with a minimum of six new users, unless given otherwise."""
    settings = {"min_new_users": 6, **given}
    starts = settings.pop("effective_from", None)
    base = newest(engine)
    draft = Draft(
        policy=replace(base, **settings),
        note="More growth",
        base_version=base.version,
        effective_from=starts,
    )
    drafts.save(engine, clicks.command(drafts.SaveDraft, draft=draft, actor=by))
    return own(engine, by)


def own(engine: Engine, by: str = MIRA) -> drafts.Kept:
    with engine.connect() as conn:
        kept = drafts.own(conn, by)
    assert kept is not None
    return kept


def request(kind: type[CommandT], kept: drafts.Kept, by: str, **given: Any) -> CommandT:
    """Return a command of ``by`` on that draft, an hour after `NOW`."""
    whole = {"draft_id": kept.draft_id, "revision": kept.revision, "actor": by, **given}
    taken = {"now", *(field.name for field in fields(kind))}
    whole = {name: value for name, value in whole.items() if name in taken}
    return clicks.command(kind, **{"now": LATER, **whole})


def save(engine: Engine, kept: drafts.Kept, by: str, **given: Any) -> int:
    return drafts.save(engine, request(drafts.SaveDraft, kept, by, **given))


def discard(engine: Engine, kept: drafts.Kept, by: str, **given: Any) -> int:
    return drafts.discard(engine, request(drafts.DiscardDraft, kept, by, **given))


def propose(engine: Engine, kept: drafts.Kept, by: str, **given: Any) -> int:
    return drafts.propose(engine, request(drafts.ProposeDraft, kept, by, **given))


def confirm(engine: Engine, kept: drafts.Kept, by: str, **given: Any) -> int:
    return drafts.confirm(engine, request(drafts.ConfirmDraft, kept, by, **given))


def decline(engine: Engine, kept: drafts.Kept, by: str, **given: Any) -> int:
    given = {"reason": "No", **given}
    return drafts.decline(engine, request(drafts.DeclineDraft, kept, by, **given))


def cancel(engine: Engine, kept: drafts.Kept, by: str, **given: Any) -> int:
    return drafts.cancel(engine, request(drafts.CancelProposal, kept, by, **given))


def proposed(engine: Engine, by: str = MIRA, **given: Any) -> drafts.Kept:
    kept = written(engine, by, **given)
    propose(engine, kept, by)
    return own(engine, by)


def test_two_managers_publish_a_version_and_the_history_names_both(office: Engine) -> None:
    kept = proposed(office, min_volume_usd=Decimal("25000000.00"))

    assert confirm(office, kept, LEO) == 2

    with office.connect() as conn:
        published = policies.history(conn)[0]
        history = trail.newest(conn)
        assert policies.in_force(conn, now=LATER) == published.policy
        assert policies.in_force(conn, now=LATER - timedelta(seconds=1)).version == 1
    assert (published.policy.author, published.confirmed_by) == (MIRA, LEO)
    assert published.policy.note == "More growth"
    assert [change.setting.name for change in published.changes] == [
        "min_volume_usd",
        "min_new_users",
    ]
    assert [(event.kind, event.actor) for event in reversed(history)] == [
        ("drafted", MIRA),
        ("proposed", MIRA),
        ("confirmed", LEO),
    ]
    assert history[0].detail["changes"] == [
        {"setting": "min_volume_usd", "old": "20000000.00", "new": "25000000.00"},
        {"setting": "min_new_users", "old": "5", "new": "6"},
    ]


def test_nobody_confirms_or_declines_their_own_proposal(office: Engine) -> None:
    kept = proposed(office)

    with pytest.raises(NotAllowed, match="another manager"):
        confirm(office, kept, MIRA)
    with pytest.raises(NotAllowed, match="Take it back"):
        decline(office, kept, MIRA, reason="No")
    assert newest(office).version == 1


def acts(kept: drafts.Kept) -> dict[str, Callable[[Engine, str], object]]:
    draft = Draft(policy=replace(Policy(), min_new_users=9), note="", base_version=1)
    new = {"draft": draft, "draft_id": None, "revision": None}
    return {
        "save": lambda e, by: save(e, kept, by, **new),
        "change": lambda e, by: save(e, kept, by, draft=draft),
        "discard": lambda e, by: discard(e, kept, by),
        "propose": lambda e, by: propose(e, kept, by),
        "confirm": lambda e, by: confirm(e, kept, by),
        "decline": lambda e, by: decline(e, kept, by),
        "cancel": lambda e, by: cancel(e, kept, by),
    }


def test_every_act_is_refused_to_the_three_other_roles(office: Engine) -> None:
    assert [role for role in Role if may(role, Act.EDIT_POLICY)] == [Role.MANAGER]
    kept = proposed(office)

    for email in STRANGERS:
        for name, act in acts(kept).items():
            with pytest.raises(NotAllowed, match="may not change the policy"):
                act(office, email)
            assert newest(office).version == 1, (email, name)
    assert own(office) == kept


def test_the_second_of_two_published_drafts_is_refused_by_name(office: Engine) -> None:
    first, second = proposed(office, MIRA), proposed(office, LEO, min_active_users=20)
    confirm(office, first, LEO)

    with pytest.raises(BaseMoved, match=r"Mira published version 2"):
        confirm(office, second, MIRA)

    cancel(office, second, LEO)
    with pytest.raises(BaseMoved):
        propose(office, own(office, LEO), LEO)
    carried = Draft(
        policy=replace(newest(office), min_active_users=20), note="Both", base_version=2
    )
    save(office, own(office, LEO), LEO, draft=carried)
    propose(office, own(office, LEO), LEO)
    assert confirm(office, own(office, LEO), MIRA) == 3
    assert (newest(office).min_new_users, newest(office).min_active_users) == (6, 20)


def test_of_two_confirmations_at_once_one_publishes(office: Engine) -> None:
    kept = [proposed(office, MIRA), proposed(office, LEO, min_active_users=20)]

    def press(pair: tuple[drafts.Kept, str]) -> int | Refusal:
        try:
            return confirm(office, *pair)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(press, zip(kept, (LEO, MIRA), strict=True)))

    assert 2 in results
    assert [type(one) for one in results if one != 2] == [BaseMoved]
    assert newest(office).version == 2


def test_a_double_click_publishes_once_and_another_form_under_the_id_is_refused(
    office: Engine,
) -> None:
    kept = proposed(office)
    once = uuid4()

    assert [confirm(office, kept, LEO, request_id=once) for _ in range(2)] == [2, 2]
    with pytest.raises(RequestReused):
        decline(office, kept, LEO, request_id=once)


def test_only_the_viewed_revision_can_be_confirmed(office: Engine) -> None:
    seen = proposed(office)
    cancel(office, seen, MIRA)
    with pytest.raises(NotInState, match="taken back"):
        confirm(office, seen, LEO)
    other = replace(seen.draft, policy=replace(seen.draft.policy, min_new_users=1))
    save(office, own(office), MIRA, draft=other)
    propose(office, own(office), MIRA)

    with pytest.raises(NotInState, match="changed since"):
        confirm(office, seen, LEO)


def test_a_declined_proposal_is_a_draft_again_with_the_reason(office: Engine) -> None:
    kept = proposed(office)

    decline(office, kept, LEO, reason=" Too strict ")

    assert own(office).proposed_at is None
    assert own(office).declined_because == "Too strict"
    discard(office, kept, MIRA)
    with office.connect() as conn:
        assert drafts.open_ones(conn) == []
        assert trail.newest(conn)[0].kind == "discarded"


def test_a_contradictory_draft_is_neither_saved_nor_proposed(office: Engine) -> None:
    with pytest.raises(Contradictory, match="below the standard"):
        written(office, max_rebate_rate=Decimal("0.05"))
    kept = written(office, min_new_users=5)
    with pytest.raises(Contradictory, match="No setting differs from version 1"):
        propose(office, kept, MIRA)
    with pytest.raises(NotInState, match="already have a draft"):
        written(office)
    with pytest.raises(NotFound, match="does not exist, or it belongs to a colleague"):
        propose(office, kept, LEO)


def test_a_version_may_take_effect_later_and_not_in_the_past(office: Engine) -> None:
    starts = datetime(2026, 4, 1, tzinfo=UTC)
    kept = proposed(office, effective_from=starts)

    with pytest.raises(Contradictory, match="1 Apr 2026, is past"):
        confirm(office, kept, LEO, now=starts + timedelta(seconds=1))
    confirm(office, kept, LEO)

    with office.connect() as conn:
        assert policies.in_force(conn, now=starts - timedelta(microseconds=1)).version == 1
        assert policies.in_force(conn, now=starts).version == 2


# Scheduled versions can be withdrawn, and urgent ones come before them.


def scheduled(engine: Engine, starts: datetime = APRIL, **given: Any) -> int:
    """Schedule a version by mira and leo; returns its number."""
    kept = proposed(engine, effective_from=starts, **given)
    return confirm(engine, kept, LEO)


def withdraw(engine: Engine, version: int, *, now: datetime = LATER) -> int:
    return confirm_withdrawal(engine, propose_withdrawal(engine, version, MIRA, now), LEO, now)


def propose_withdrawal(engine: Engine, version: int, by: str, now: datetime = LATER) -> int:
    given = {"version": version, "reason": "Too early", "actor": by, "now": now}
    return withdrawals.propose(engine, clicks.command(withdrawals.ProposeWithdrawal, **given))


def confirm_withdrawal(engine: Engine, id_: int, by: str, now: datetime = LATER) -> int:
    given = {"withdrawal_id": id_, "actor": by, "now": now}
    return withdrawals.confirm(engine, clicks.command(withdrawals.ConfirmWithdrawal, **given))


def ruling(engine: Engine, at: datetime) -> int:
    with engine.connect() as conn:
        return policies.in_force(conn, now=at).version


def test_two_managers_withdraw_a_scheduled_version_and_it_never_takes_effect(
    office: Engine,
) -> None:
    version = scheduled(office)
    assert ruling(office, APRIL) == version

    withdraw(office, version)

    assert ruling(office, APRIL) == 1
    with office.connect() as conn:
        kept = policies.history(conn)[0]
        history = [event.kind for event in trail.newest(conn)][:2]
        assert policies.newest(conn).version == 1
        assert policies.scheduled(conn, now=LATER) == []
    assert (kept.policy.version, kept.withdrawn_by) == (version, LEO)
    assert history == ["withdrawn", "withdrawal_proposed"]
    # The number is used up, and the next draft builds on the version in force.
    assert scheduled(office) == version + 1


@pytest.mark.parametrize("again", [MIRA, "MIRA@example.com "])
def test_nobody_withdraws_alone(office: Engine, again: str) -> None:
    version = scheduled(office)
    asked_for = propose_withdrawal(office, version, MIRA)

    with pytest.raises(NotAllowed, match="another manager"):
        confirm_withdrawal(office, asked_for, again)
    for email in STRANGERS:
        with pytest.raises(NotAllowed, match="may not change the policy"):
            confirm_withdrawal(office, asked_for, email)
    with pytest.raises(NotInState, match="already proposed"):
        propose_withdrawal(office, version, LEO)
    given = {"withdrawal_id": asked_for, "reason": "Keep it", "actor": LEO, "now": LATER}
    withdrawals.decline(office, clicks.command(withdrawals.DeclineWithdrawal, **given))
    assert ruling(office, APRIL) == version


@pytest.mark.parametrize(("at", "withdrawn"), [(APRIL - SECOND, True), (APRIL, False)])
def test_only_a_version_not_yet_in_force_is_withdrawn(
    office: Engine, at: datetime, withdrawn: bool
) -> None:
    version = scheduled(office)
    if withdrawn:
        withdraw(office, version, now=at)
    else:
        with pytest.raises(NotInState, match=r"took effect on 1 Apr 2026"):
            withdraw(office, version, now=at)

    assert ruling(office, APRIL) == (1 if withdrawn else version)
    for unknown, sentence in ((99, "no version 99"), (1, "took effect")):
        with pytest.raises(NotInState, match=sentence):
            withdraw(office, unknown)


def test_an_urgent_version_is_in_force_until_the_scheduled_one_starts(office: Engine) -> None:
    later = scheduled(office)
    base = Policy() if ruling(office, LATER) == 1 else None
    assert base is not None
    draft = Draft(policy=replace(base, min_active_users=20), note="Urgent", base_version=1)

    drafts.save(office, clicks.command(drafts.SaveDraft, draft=draft, actor=MIRA, now=LATER))
    propose(office, own(office), MIRA)
    urgent = confirm(office, own(office), LEO)

    assert urgent > later
    assert ruling(office, LATER) == ruling(office, APRIL - SECOND) == urgent
    assert ruling(office, APRIL) == later
    with office.connect() as conn:
        found = {one.policy.version: one for one in policies.history(conn)}
    assert (found[urgent].base_version, found[later].base_version) == (1, 1)
    assert [c.setting.name for c in found[urgent].changes] == ["min_active_users"]


def test_a_draft_builds_on_the_version_in_force_at_its_start(office: Engine) -> None:
    later = scheduled(office)
    kept = written(office, effective_from=APRIL + timedelta(days=1), min_new_users=7)
    assert kept.draft.base_version == later
    on_the_old = replace(kept.draft, policy=replace(Policy(), min_new_users=8), base_version=1)
    save(office, kept, MIRA, draft=on_the_old)

    with pytest.raises(BaseMoved, match=f"published version {later}"):
        propose(office, own(office), MIRA)

    withdraw(office, later)
    propose(office, own(office), MIRA)
    assert confirm(office, own(office), LEO) == later + 1


def test_a_draft_based_on_a_withdrawn_version_is_refused_with_the_right_base(
    office: Engine,
) -> None:
    later = scheduled(office)
    kept = written(office, effective_from=APRIL + timedelta(days=1), min_new_users=7)
    withdraw(office, later)

    with pytest.raises(BaseMoved, match=r"but version 1 is in force when it would take effect"):
        propose(office, kept, MIRA)


@pytest.mark.parametrize(("days", "taken"), [(365, True), (366, False), (27_000, False)])
def test_a_version_is_planned_at_most_a_year_ahead(office: Engine, days: int, taken: bool) -> None:
    starts = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC) + timedelta(days=days)
    if taken:
        written(office, effective_from=starts)
        return
    with pytest.raises(Contradictory, match=r"more than 365 days away. Choose a day up to"):
        written(office, effective_from=starts)


@settings(max_examples=examples(20, of=60), suppress_health_check=list(HealthCheck))
@given(
    versions=st.lists(st.tuples(st.integers(-3, 9), st.booleans()), max_size=5),
    at=st.integers(-4, 10),
)
def test_python_and_sql_agree_on_the_version_in_force(
    office: Engine, versions: list[tuple[int, bool]], at: int
) -> None:
    made = [replace(Policy(), version=1)]
    gone = set()
    with office.connect() as conn:
        for number, (day, withdrawn) in enumerate(versions, start=2):
            made.append(replace(Policy(), version=number, effective_from=APRIL + day * ONE_DAY))
            policies.add(conn, made[-1])
            if withdrawn:
                gone.add(number)
                conn.execute(
                    text(
                        "insert into review.policy_withdrawals (version, reason, proposed_by,"
                        " proposed_at, closed_as, closed_by, closed_at)"
                        " values (:v, 'x', 'mira@example.com', now(), 'withdrawn', 'leo@example.com', now())"
                    ),
                    {"v": number},
                )
        moment = APRIL + at * ONE_DAY
        found = policies.in_force(conn, now=moment)
        conn.rollback()

    assert found.version == ruling_at([p for p in made if p.version not in gone], moment).version


def test_a_version_stores_every_threshold_it_was_published_with(office: Engine) -> None:
    kept = proposed(
        office, risk_thresholds={"R09.warn": Decimal("2.5"), "R23.warn": Decimal("0E-8")}
    )
    confirm(office, kept, LEO)

    with office.connect() as conn:
        stored, number = conn.execute(
            text("select risk_thresholds, version from review.policies where version = 2")
        ).one()
    assert set(stored) == set(DEFAULTS)
    assert (stored["R09.warn"], stored["R23.warn"], stored["R09.high"]) == ("2.5", "0", "8")
    assert newest(office).risk_thresholds == DEFAULTS | {
        "R09.warn": Decimal("2.5"),
        "R23.warn": Decimal(0),
    }
    with office.connect() as conn:
        moved = policies.history(conn)[0].changes
    assert number == 2
    assert [one.setting.name for one in moved] == ["min_new_users", "R09.warn", "R23.warn"]


@pytest.mark.parametrize(
    "stored",
    [
        *("[]", '"R06.warn"', '{"R06.warn": 3}', '{"R06.warn": "-1"}', '{"R06.warn": "NaN"}'),
        *('{"R06.warn": "1e3"}', '{"R06.warn": null}', '{"R06.warn": ["3"]}', '{"R06": "3"}'),
        *('{"R06.warn": "0.1234567"}', '{"R06.note": "3"}', '{"": "3"}'),
    ],
)
def test_the_database_takes_only_thresholds_that_are_numbers(office: Engine, stored: str) -> None:
    insert = text(
        "insert into review.policies (version, effective_from, author, risk_thresholds)"
        " values (2, now(), 'mira@example.com', cast(:stored as jsonb))"
    )

    with (
        pytest.raises(IntegrityError, match="policies_thresholds_are_numbers"),
        office.begin() as conn,
    ):
        conn.execute(insert, {"stored": stored})
