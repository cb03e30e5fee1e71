"""The staff is changed by managers and administrators, on record, and never left without one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import (
    Invalid,
    LastAdministrator,
    NotAllowed,
    NotFound,
    NotInState,
    Refusal,
    RequestReused,
)
from data_access.people import leave, roster, sessions, staff_changes
from data_access.people.leave import AddLeave, RemoveLeave
from data_access.people.staff_changes import (
    AddPerson,
    Bind,
    ChangeRole,
    Disable,
    Enable,
    StaffCommand,
    Unbind,
)
from data_access.review import bulk, claims
from data_access.review.bulk import AssignEach
from data_access.review.claims import Assign, TakeNext
from program.periods import utc_day
from program.review.permissions import Role
from program.review.queue_filters import Filters
from program.review.sign_in import Identity
from tests.builders import NOW, STAFF, add_application, add_refresh, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, BEN, MIRA, NOOR

OFF, EVE, NEW = "off@example.com", "eve@example.com", "new@example.com"
TODAY = utc_day(NOW)
ACCOUNT = {"issuer": "https://id.example.com", "subject": "1042"}
VERBS: dict[type[StaffCommand], Callable[..., int]] = {
    AddPerson: staff_changes.add,
    ChangeRole: staff_changes.change_role,
    Disable: staff_changes.disable,
    Enable: staff_changes.enable,
    Bind: staff_changes.bind,
    Unbind: staff_changes.unbind,
    AddLeave: leave.add,
    RemoveLeave: leave.remove,
}
# Who may do what; each column is an actor.
BY_ROLE = """
                      reviewer  manager  analyst  admin  disabled
add reviewer          .         yes      .        yes    .
add analyst           .         yes      .        yes    .
add manager           .         .        .        yes    .
add admin             .         .        .        yes    .
make ben analyst      .         yes      .        yes    .
make ben manager      .         .        .        yes    .
make ben admin        .         .        .        yes    .
make mia reviewer     .         .        .        yes    .
make eve reviewer     .         .        .        yes    .
disable ben           .         yes      .        yes    .
disable mia           .         .        .        yes    .
disable eve           .         .        .        yes    .
enable off            .         yes      .        yes    .
bind ben              .         .        .        yes    .
bind mia              .         .        .        yes    .
unbind ben            .         yes      .        yes    .
unbind mia            .         .        .        yes    .
leave ben             .         yes      .        yes    .
leave mia             .         yes      .        yes    .
leave eve             .         yes      .        yes    .
"""
LINES = [line.rsplit(maxsplit=5) for line in BY_ROLE.strip().splitlines()]
ACTORS = dict(zip(LINES[0], (ANA, MIRA, NOOR, ADA, "gone@example.com"), strict=True))
CELLS = [
    (what, actor, cell == "yes")
    for what, *cells in LINES[1:]
    for actor, cell in zip(ACTORS, cells, strict=True)
]


@pytest.fixture
def desk(engine: Engine) -> Engine:
    """The five people, and a second manager and admin; two disabled people."""
    more = [
        ("mia@example.com", "manager", True),
        (EVE, "admin", True),
        (OFF, "reviewer", False),
        ("gone@example.com", "admin", False),
    ]
    with engine.begin() as conn:
        add_staff(conn)
        for email, role, active in more:
            conn.execute(
                text(
                    "insert into review.staff (email, display_name, role, active) "
                    "values (:email, 'One more', :role, :active)"
                ),
                {"email": email, "role": role, "active": active},
            )
        conn.execute(text("update review.staff set issuer = 'https://id.example', subject = email"))
    return engine


def do(engine: Engine, kind: type[StaffCommand], email: str, **given: Any) -> int:
    whole = {"actor": ADA, "reason": "As agreed", "email": email, **given}
    return VERBS[kind](engine, clicks.command(kind, **whole))


def attempt(engine: Engine, what: str, actor: str) -> int:
    verb, name, *role = what.split()
    given: dict[str, Any] = {"actor": actor}
    if verb == "add":
        return do(engine, AddPerson, NEW, name="New", role=Role(name), **given)
    email = f"{name}@example.com"
    if verb == "make":
        return do(engine, ChangeRole, email, role=Role(role[0]), **given)
    if verb == "leave":
        return do(engine, AddLeave, email, first_day=TODAY, last_day=TODAY, **given)
    if verb == "bind":
        free(engine, email)
        return do(engine, Bind, email, **ACCOUNT, **given)
    kinds = {"disable": Disable, "enable": Enable, "unbind": Unbind}
    return do(engine, kinds[verb], email, **given)


def free(engine: Engine, email: str) -> None:
    """Leave a person unbound, off the record."""
    with engine.begin() as conn:
        conn.execute(
            text("update review.staff set issuer = null, subject = null where email = :e"),
            {"e": email},
        )


def rows(engine: Engine) -> dict[str, tuple[str, bool]]:
    with engine.connect() as conn:
        return {m.email: (str(m.role), m.active) for m in roster.listed(conn, now=NOW)}


def events(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as conn:
        return [(e.email, e.kind, e.old, e.new, e.actor) for e in staff_changes.events(conn)]


@pytest.mark.parametrize(("what", "actor"), [cell[:2] for cell in CELLS if cell[2]])
def test_who_may_change_whom(desk: Engine, what: str, actor: str) -> None:
    attempt(desk, what, ACTORS[actor])

    assert len(events(desk)) == 1


def test_nobody_else_changes_anybody(desk: Engine) -> None:
    before = rows(desk)
    refused = [cell[:2] for cell in CELLS if not cell[2]]
    assert len(refused) > 20
    for what, actor in refused:
        with pytest.raises(NotAllowed):
            attempt(desk, what, ACTORS[actor])
        assert (rows(desk), events(desk)) == (before, []), (what, actor)


def test_every_change_is_an_event_with_old_and_new(desk: Engine) -> None:
    do(desk, AddPerson, "New@Example.com", name=" Nia ", role=Role.REVIEWER)
    do(desk, ChangeRole, NEW, role=Role.MANAGER, shown=Role.REVIEWER)
    do(desk, Disable, NEW)
    do(desk, Enable, NEW)
    do(desk, Unbind, BEN)
    do(desk, Bind, BEN, **ACCOUNT)
    do(desk, AddLeave, NEW, first_day=TODAY, last_day=TODAY + timedelta(days=4))
    with desk.connect() as conn:
        (away,) = leave.listed(conn, email=NEW, since=TODAY)
    do(desk, RemoveLeave, NEW, leave_id=away.leave_id)

    days = {"first_day": str(TODAY), "last_day": str(TODAY + timedelta(days=4))}
    assert events(desk)[::-1] == [
        (NEW, "added", None, {"name": "Nia", "role": "reviewer"}, ADA),
        (NEW, "role_changed", {"role": "reviewer"}, {"role": "manager"}, ADA),
        (NEW, "disabled", {"active": True}, {"active": False}, ADA),
        (NEW, "enabled", {"active": False}, {"active": True}, ADA),
        (BEN, "unbound", {"issuer": "https://id.example", "subject": BEN}, None, ADA),
        (BEN, "bound", None, ACCOUNT, ADA),
        (NEW, "leave_added", None, days, ADA),
        (NEW, "leave_removed", days, None, ADA),
    ]
    assert rows(desk)[NEW] == ("manager", True)
    with desk.connect() as conn:
        newest = staff_changes.events(conn, email=NEW, most=1)[0]
    assert (newest.reason, newest.at) == ("As agreed", NOW)


@pytest.mark.parametrize(
    ("kind", "actor"),
    [
        *((kind, actor) for kind in (ChangeRole, Disable, Unbind) for actor in (MIRA, ADA)),
        (Bind, ADA),
    ],
)
def test_nobody_changes_their_own_access(desk: Engine, kind: Any, actor: str) -> None:
    given = {ChangeRole: {"role": Role.REVIEWER}, Bind: ACCOUNT}.get(kind, {})

    with pytest.raises(NotAllowed, match="Nobody changes their own access"):
        do(desk, kind, actor.upper(), actor=actor, **given)


def test_a_change_needs_a_reason(desk: Engine) -> None:
    with pytest.raises(Invalid, match="The reason is empty"):
        do(desk, Disable, BEN, reason="  ")


@pytest.mark.parametrize(
    ("kind", "email", "given", "refusal", "sentence"),
    [
        (AddPerson, BEN, {"role": Role.ADMIN, "name": "B"}, NotInState, "already, as reviewer"),
        (AddPerson, OFF, {"role": Role.ADMIN, "name": "B"}, NotInState, "as reviewer, disabled"),
        (AddPerson, "ana", {"role": Role.ADMIN, "name": "B"}, Invalid, "not an email address"),
        (AddPerson, "a b@x.y", {"role": Role.ADMIN, "name": "B"}, Invalid, "contains a space"),
        (AddPerson, NEW, {"role": Role.ADMIN, "name": " "}, Invalid, "The name is empty"),
        (ChangeRole, NEW, {"role": Role.ADMIN}, NotFound, "not on the staff list"),
        (ChangeRole, BEN, {"role": Role.REVIEWER}, NotInState, "is reviewer already"),
        (
            ChangeRole,
            BEN,
            {"role": Role.ADMIN, "shown": Role.ANALYST},
            NotInState,
            "is reviewer now, no longer analyst",
        ),
        (Disable, OFF, {}, NotInState, "disabled already"),
        (Enable, BEN, {}, NotInState, "active already"),
        (Disable, NEW, {}, NotFound, "not on the staff list"),
        (RemoveLeave, BEN, {"leave_id": 1}, NotFound, "already removed"),
        (Bind, BEN, ACCOUNT, NotInState, "bound to an account already. Unbind it first"),
        (Bind, NEW, ACCOUNT, NotFound, "not on the staff list"),
        *(
            (Bind, BEN, {**ACCOUNT, part: wrong}, Invalid, sentence)
            for part, wrong, sentence in (
                ("issuer", "", "issuer is not the address"),
                ("issuer", "demo", "issuer is not the address"),
                ("issuer", "javascript://x", "issuer is not the address"),
                ("issuer", f"https://{'x' * 255}", "issuer is not the address"),
                ("subject", "", "subject is not a person's id"),
                ("subject", " 7", "subject is not a person's id"),
                ("subject", "7\n8", "subject is not a person's id"),
                ("subject", "7" * 256, "subject is not a person's id"),
            )
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    desk: Engine, kind: Any, email: str, given: Any, refusal: type[Refusal], sentence: str
) -> None:
    before = rows(desk)

    with pytest.raises(refusal, match=sentence):
        do(desk, kind, email, **given)

    assert (rows(desk), events(desk)) == (before, [])


def test_an_account_is_bound_to_one_person_only(desk: Engine) -> None:
    free(desk, ANA)
    do(desk, Bind, ANA, **ACCOUNT)
    free(desk, BEN)

    with pytest.raises(NotInState, match="Ana signs in with this account"):
        do(desk, Bind, BEN, **ACCOUNT)
    assert sign_in(desk, Identity(email=BEN, **ACCOUNT)) == ANA


def test_a_bound_person_signs_in_with_that_account_alone(desk: Engine) -> None:
    free(desk, BEN)
    do(desk, Bind, BEN, **ACCOUNT)

    for other in ({"subject": "1043"}, {"issuer": "https://other.example.com"}):
        assert sign_in(desk, Identity(email=BEN, **{**ACCOUNT, **other})) is None
    assert sign_in(desk, Identity(email="elsewhere@example.com", **ACCOUNT)) == BEN
    do(desk, Unbind, BEN)
    assert sign_in(desk, Identity(email="elsewhere@example.com", **ACCOUNT)) is None


def test_a_demo_person_is_bound_to_no_account(desk: Engine) -> None:
    with desk.begin() as conn:
        conn.execute(
            text(
                "insert into review.staff values ('d@example.com', 'D', 'reviewer', true, 'demo', 'd')"
            )
        )

    with pytest.raises(NotInState, match="a person of the demo"):
        do(desk, Bind, "d@example.com", **ACCOUNT)


def sign_in(engine: Engine, identity: Identity) -> str | None:
    """Sign in; returns who that is now."""
    key = str(uuid4())
    sessions.sign_in(engine, identity, key=key)
    with engine.connect() as conn:
        person = sessions.find(conn, key)
    return person.email if person else None


@pytest.mark.parametrize("kind", [AddPerson, ChangeRole, Disable])
def test_a_double_click_returns_the_first_result(desk: Engine, kind: Any) -> None:
    given: dict[str, Any] = {"request_id": uuid4()}
    given |= {"name": "N"} if kind is AddPerson else {}
    given |= {} if kind is Disable else {"role": Role.ANALYST}
    email = NEW if kind is AddPerson else BEN

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: do(desk, kind, email, **given), range(2))

    assert first == second
    assert len(events(desk)) == 1
    with pytest.raises(RequestReused):
        do(desk, kind, email, **{**given, "reason": "Another"})


def test_two_administrators_who_remove_each_other_leave_one(desk: Engine) -> None:
    def disable(pair: tuple[str, str]) -> str | None:
        try:
            do(desk, Disable, pair[1], actor=pair[0])
        except NotAllowed:
            return pair[0]
        return None

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            refused = list(pool.map(disable, [(ADA, EVE), (EVE, ADA)]))
        assert sum(one is not None for one in refused) == 1
        (loser,) = filter(None, refused)
        do(desk, Enable, loser, actor=EVE if loser == ADA else ADA)


@pytest.mark.parametrize("kind", [ChangeRole, Disable])
def test_the_command_line_keeps_the_last_administrator_even_of_two_at_once(
    desk: Engine, kind: Any
) -> None:
    given = {"role": Role.REVIEWER} if kind is ChangeRole else {}

    def remove(email: str) -> bool:
        command = clicks.command(kind, email=email, actor="command line (ops)", **given)
        try:
            staff_changes.from_command_line(desk, command)
        except LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, [ADA, EVE])) == [False, True]
    active = [email for email, row in rows(desk).items() if row == ("admin", True)]
    assert len(active) == 1
    assert [event[-1] for event in events(desk)] == ["command line (ops)"]


def test_a_disabled_administrator_may_be_demoted_by_the_last(desk: Engine) -> None:
    do(desk, Disable, EVE)
    do(desk, ChangeRole, EVE, role=Role.ANALYST)

    assert rows(desk)[EVE] == ("analyst", False)


# --- Leave ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (3, 2, "before the first"),
        (-5, -1, "are over"),
        (0, 366, "more than a year"),
        (900, 901, "more than two years away"),
        (10, 12, r"is on leave 20 Mar to 25 Mar 2026 already"),
    ],
)
def test_days_of_leave_that_make_no_sense_are_refused(
    desk: Engine, first: int, last: int, sentence: str
) -> None:
    def days(one: int, other: int) -> dict[str, Any]:
        return {"first_day": TODAY + timedelta(one), "last_day": TODAY + timedelta(other)}

    do(desk, AddLeave, BEN, **days(5, 10))
    do(desk, AddLeave, BEN, **days(11, 11))

    with pytest.raises((Invalid, NotInState), match=sentence):
        do(desk, AddLeave, BEN, **days(first, last))


@pytest.mark.parametrize(
    ("first", "last", "free"), [(-2, -1, True), (-2, 0, False), (0, 0, False), (1, 4, True)]
)
def test_nobody_on_leave_is_assigned(desk: Engine, first: int, last: int, free: bool) -> None:
    with desk.begin() as conn:
        add_refresh(conn)
        for id_ in (1, 2):
            add_application(conn, id_)
        conn.execute(
            text("insert into review.leave (email, first_day, last_day) values (:e, :f, :l)"),
            {"e": BEN, "f": TODAY + timedelta(first), "l": TODAY + timedelta(last)},
        )
    each = clicks.command(AssignEach, ids=(1,), assignee=BEN)
    one = clicks.command(Assign, application_id=2, assignee=BEN)

    (result,) = bulk.assign(desk, each)
    assert result.done is free
    if free:
        claims.assign(desk, one)
    else:
        with pytest.raises(Invalid, match=r"Ben is on leave through"):
            claims.assign(desk, one)


def test_the_list_shows_who_is_away_and_what_everybody_did_last(desk: Engine) -> None:
    with desk.begin() as conn:
        add_refresh(conn)
        add_application(conn, 1)
    claims.take_next(desk, clicks.command(TakeNext, filters=Filters()))
    do(desk, AddLeave, BEN, first_day=TODAY, last_day=TODAY + timedelta(days=2))

    with desk.connect() as conn:
        found = {member.email: member for member in roster.listed(conn, now=NOW)}
        acts = roster.acts(conn)
        own = roster.acts(conn, email=ANA)
    assert [found[e].state for e in (ANA, BEN, OFF)] == ["active", "on leave", "disabled"]
    assert found[BEN].away_until == TODAY + timedelta(days=2)
    assert [found[e].last_act_at for e in (ANA, BEN)] == [NOW, None]
    assert {(act.actor, act.command) for act in acts} == {(ANA, "TakeNext"), (ADA, "AddLeave")}
    assert [(act.command, act.application_id) for act in own] == [("TakeNext", 1)]
    assert set(STAFF) < set(found)
