"""Who may do what: every act with every role, written out by hand."""

import pytest

from program.review.permissions import ALLOWED, MANAGES, Act, Role, may

GRID = """
                     reviewer  manager  analyst  admin
READ                 yes       yes      yes      yes
DECIDE               yes       yes      .        .
WRITE_NOTE           yes       yes      .        .
RECORD_EVIDENCE      yes       yes      .        .
ANSWER_CHECK         yes       yes      .        .
CLAIM                yes       yes      .        .
ASSIGN               yes       yes      .        .
REQUEST_INFORMATION  yes       yes      .        .
RECORD_ANSWER        yes       yes      .        .
DEFER                yes       yes      .        .
DECLARE_CONFLICT     yes       yes      .        .
DISMISS_SIGNAL       yes       yes      .        .
APPROVE_SECOND       .         yes      .        .
REOPEN               .         yes      .        .
UNDO                 yes       yes      .        .
SAVE_VIEW            yes       yes      yes      yes
KEEP_HOLIDAYS        .         yes      .        yes
SEE_PROGRAM          .         yes      yes      .
COMPARE_REVIEWERS    .         yes      .        .
MAIL_REPORT          .         yes      .        .
EXPORT               yes       yes      yes      yes
READ_POLICY          yes       yes      yes      .
EDIT_POLICY          .         yes      .        .
CALIBRATE            .         yes      .        .
SEE_AFFILIATES       yes       yes      yes      .
REQUALIFY            .         yes      .        .
KEEP_OUTBOX          .         yes      .        yes
SEE_CONTACT          yes       yes      .        .
IMPORT               yes       yes      .        .
SEE_EXPORTS          .         yes      .        .
SEE_LOG              .         yes      .        yes
MANAGE_STAFF         .         yes      .        yes
BIND_STAFF           .         .        .        yes
KEEP_LEAVE           .         yes      .        yes
"""
ROWS = [line.split() for line in GRID.strip().splitlines()]
ROLES = [Role(name) for name in ROWS[0]]
CELLS = [
    (Act[row[0]], role, cell == "yes")
    for row in ROWS[1:]
    for role, cell in zip(ROLES, row[1:], strict=True)
]


@pytest.mark.parametrize(("act", "role", "allowed"), CELLS)
def test_who_may_do_what(act: Act, role: Role, allowed: bool) -> None:
    assert may(role, act) is allowed


def test_the_grid_leaves_no_act_and_no_role_out() -> None:
    assert {(act, role) for act, role, _ in CELLS} == {(act, role) for act in Act for role in Role}
    assert set(ALLOWED) == set(Act)


def test_a_manager_may_do_everything_a_reviewer_may() -> None:
    for act in Act:
        assert may(Role.MANAGER, act) >= may(Role.REVIEWER, act)


def test_an_analyst_changes_nothing_but_their_own_views() -> None:
    allowed = {act for act in Act if may(Role.ANALYST, act)}

    reading = {Act.READ, Act.SEE_PROGRAM, Act.SEE_AFFILIATES, Act.READ_POLICY}
    assert allowed == {*reading, Act.EXPORT, Act.SAVE_VIEW}


@pytest.mark.parametrize(
    ("role", "managed"),
    [
        (Role.REVIEWER, set()),
        (Role.ANALYST, set()),
        (Role.MANAGER, {Role.REVIEWER, Role.ANALYST}),
        (Role.ADMIN, set(Role)),
    ],
)
def test_whose_access_a_role_may_change(role: Role, managed: set[Role]) -> None:
    assert MANAGES[role] == managed
    assert bool(managed) is may(role, Act.MANAGE_STAFF)


def test_the_roles_are_those_of_the_contract() -> None:
    assert tuple(Role) == ("reviewer", "manager", "analyst", "admin")


@pytest.mark.parametrize("act", Act)
def test_a_refusal_can_name_the_act(act: Act) -> None:
    """The words complete "Your role may not ..."."""
    assert act.value == act.value.strip()
    assert act.value[0].islower()
    assert len({act.value for act in Act}) == len(Act)
