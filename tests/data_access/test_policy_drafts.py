"""Drafting and publishing a policy: two managers, one trail, and nobody overtaken."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from data_access import policies, policy_drafts
from data_access.refusals import (
    BaseMoved,
    Contradictory,
    NotAllowed,
    NotInState,
    Refusal,
    RequestReused,
)
from program.permissions import Act, Role, may
from program.policy import Policy
from program.policy_drafts import Draft
from tests.builders import NOW, STAFF, rewriting

MIRA, LEO = "mira@example.com", "leo@example.com"
LATER = NOW + timedelta(hours=1)
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
            "delete from review.policies where version > 1",
        ):
            conn.execute(text(statement))


def newest(engine: Engine) -> Policy:
    with engine.connect() as conn:
        return policies.newest(conn)


def written(engine: Engine, by: str = MIRA, **given: Any) -> policy_drafts.Kept:
    """A draft that asks for six new users, unless told otherwise."""
    settings = {"min_new_users": 6, **given}
    starts = settings.pop("effective_from", None)
    base = newest(engine)
    draft = Draft(
        policy=replace(base, **settings),
        note="More growth",
        base_version=base.version,
        effective_from=starts,
    )
    policy_drafts.save(engine, draft=draft, draft_id=None, actor=by, now=NOW, request_id=uuid4())
    return own(engine, by)


def own(engine: Engine, by: str = MIRA) -> policy_drafts.Kept:
    with engine.connect() as conn:
        kept = policy_drafts.own(conn, by)
    assert kept is not None
    return kept


def asked(kept: policy_drafts.Kept, by: str, **given: Any) -> dict[str, Any]:
    return {
        "draft_id": kept.draft_id,
        "revision": kept.revision,
        "actor": by,
        "now": LATER,
        "request_id": uuid4(),
        **given,
    }


def proposed(engine: Engine, by: str = MIRA, **given: Any) -> policy_drafts.Kept:
    kept = written(engine, by, **given)
    policy_drafts.propose(engine, **asked(kept, by))
    return own(engine, by)


def test_two_managers_publish_a_version_and_the_trail_says_who(office: Engine) -> None:
    kept = proposed(office, min_volume_usd=Decimal("25000000.00"))

    assert policy_drafts.confirm(office, **asked(kept, LEO)) == 2

    with office.connect() as conn:
        published = policies.history(conn)[0]
        trail = policy_drafts.trail(conn)
        assert policies.in_force(conn, now=LATER) == published.policy
        assert policies.in_force(conn, now=LATER - timedelta(seconds=1)).version == 1
    assert (published.policy.author, published.confirmed_by) == (MIRA, LEO)
    assert published.policy.note == "More growth"
    assert [change.setting.name for change in published.changes] == [
        "min_volume_usd",
        "min_new_users",
    ]
    assert [(event.kind, event.actor) for event in reversed(trail)] == [
        ("drafted", MIRA),
        ("proposed", MIRA),
        ("confirmed", LEO),
    ]
    assert trail[0].detail["changes"] == [
        {"setting": "min_volume_usd", "old": "20000000.00", "new": "25000000.00"},
        {"setting": "min_new_users", "old": "5", "new": "6"},
    ]


def test_nobody_confirms_or_declines_their_own_proposal(office: Engine) -> None:
    kept = proposed(office)

    with pytest.raises(NotAllowed, match="somebody else"):
        policy_drafts.confirm(office, **asked(kept, MIRA))
    with pytest.raises(NotAllowed, match="Take it back"):
        policy_drafts.decline(office, **asked(kept, MIRA, reason="No"))
    assert newest(office).version == 1


def acts(kept: policy_drafts.Kept) -> dict[str, Callable[[Engine, str], object]]:
    draft = Draft(policy=replace(Policy(), min_new_users=9), note="", base_version=1)

    def form(by: str) -> dict[str, Any]:
        return asked(kept, by)

    def without_revision(by: str) -> dict[str, Any]:
        given = form(by)
        given.pop("revision")
        return given

    return {
        "save": lambda e, by: policy_drafts.save(
            e, draft=draft, **{**form(by), "draft_id": None, "revision": None}
        ),
        "change": lambda e, by: policy_drafts.save(e, draft=draft, **form(by)),
        "discard": lambda e, by: policy_drafts.discard(e, **without_revision(by)),
        "propose": lambda e, by: policy_drafts.propose(e, **form(by)),
        "confirm": lambda e, by: policy_drafts.confirm(e, **form(by)),
        "decline": lambda e, by: policy_drafts.decline(e, reason="No", **form(by)),
        "cancel": lambda e, by: policy_drafts.cancel(e, **without_revision(by)),
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
    policy_drafts.confirm(office, **asked(first, LEO))

    with pytest.raises(BaseMoved, match=r"mira@example\.com published version 2"):
        policy_drafts.confirm(office, **asked(second, MIRA))

    policy_drafts.cancel(office, draft_id=second.draft_id, actor=LEO, now=LATER, request_id=uuid4())
    with pytest.raises(BaseMoved):
        policy_drafts.propose(office, **asked(own(office, LEO), LEO))
    carried = Draft(
        policy=replace(newest(office), min_active_users=20), note="Both", base_version=2
    )
    policy_drafts.save(office, draft=carried, **asked(own(office, LEO), LEO))
    policy_drafts.propose(office, **asked(own(office, LEO), LEO))
    assert policy_drafts.confirm(office, **asked(own(office, LEO), MIRA)) == 3
    assert (newest(office).min_new_users, newest(office).min_active_users) == (6, 20)


def test_of_two_confirmations_at_once_one_publishes(office: Engine) -> None:
    kept = [proposed(office, MIRA), proposed(office, LEO, min_active_users=20)]

    def confirm(pair: tuple[policy_drafts.Kept, str]) -> int | Refusal:
        try:
            return policy_drafts.confirm(office, **asked(pair[0], pair[1]))
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(confirm, zip(kept, (LEO, MIRA), strict=True)))

    assert 2 in results
    assert [type(one) for one in results if one != 2] == [BaseMoved]
    assert newest(office).version == 2


def test_a_double_click_publishes_once_and_another_form_under_the_id_is_refused(
    office: Engine,
) -> None:
    kept = proposed(office)
    once = asked(kept, LEO)

    assert policy_drafts.confirm(office, **once) == policy_drafts.confirm(office, **once) == 2
    with pytest.raises(RequestReused):
        policy_drafts.decline(office, reason="No", **once)


def test_what_is_confirmed_is_what_was_looked_at(office: Engine) -> None:
    seen = proposed(office)
    given = {"draft_id": seen.draft_id, "actor": MIRA, "now": LATER}
    policy_drafts.cancel(office, **given, request_id=uuid4())
    with pytest.raises(NotInState, match="taken back"):
        policy_drafts.confirm(office, **asked(seen, LEO))
    other = replace(seen.draft, policy=replace(seen.draft.policy, min_new_users=1))
    policy_drafts.save(
        office, draft=other, revision=own(office).revision, **given, request_id=uuid4()
    )
    policy_drafts.propose(office, revision=own(office).revision, **given, request_id=uuid4())

    with pytest.raises(NotInState, match="changed since"):
        policy_drafts.confirm(office, **asked(seen, LEO))


def test_a_declined_proposal_is_a_draft_again_with_the_reason(office: Engine) -> None:
    kept = proposed(office)

    policy_drafts.decline(office, reason=" Too strict ", **asked(kept, LEO))

    assert own(office).proposed_at is None
    assert own(office).declined_because == "Too strict"
    policy_drafts.discard(office, draft_id=kept.draft_id, actor=MIRA, now=LATER, request_id=uuid4())
    with office.connect() as conn:
        assert policy_drafts.open_ones(conn) == []
        assert policy_drafts.trail(conn)[0].kind == "discarded"


def test_what_contradicts_itself_is_neither_saved_nor_proposed(office: Engine) -> None:
    with pytest.raises(Contradictory, match="below the standard"):
        written(office, max_rebate_rate=Decimal("0.05"))
    kept = written(office, min_new_users=5)
    with pytest.raises(Contradictory, match="Nothing differs from version 1"):
        policy_drafts.propose(office, **asked(kept, MIRA))
    with pytest.raises(NotInState, match="have a draft already"):
        written(office)
    with pytest.raises(NotAllowed, match=r"mira@example\.com's draft"):
        policy_drafts.propose(office, **asked(kept, LEO))


def test_a_version_may_take_effect_later_and_not_in_the_past(office: Engine) -> None:
    starts = datetime(2026, 4, 1, tzinfo=UTC)
    kept = proposed(office, effective_from=starts)

    with pytest.raises(Contradictory, match="1 Apr 2026, which is past"):
        policy_drafts.confirm(office, **asked(kept, LEO, now=starts + timedelta(seconds=1)))
    policy_drafts.confirm(office, **asked(kept, LEO))

    with office.connect() as conn:
        assert policies.in_force(conn, now=starts - timedelta(microseconds=1)).version == 1
        assert policies.in_force(conn, now=starts).version == 2
