"""Who may do what: the whole grid, role by act."""

import pytest

from program.permissions import ALLOWED, Act, Role, may

R, M, N, A = Role.REVIEWER, Role.MANAGER, Role.ANALYST, Role.ADMIN
GRID: dict[Act, dict[Role, bool]] = {
    Act.READ: {R: True, M: True, N: True, A: True},
    Act.DECIDE: {R: True, M: True, N: False, A: False},
    Act.WRITE_NOTE: {R: True, M: True, N: False, A: False},
    Act.RECORD_EVIDENCE: {R: True, M: True, N: False, A: False},
    Act.SEE_PROGRAM: {R: False, M: True, N: True, A: False},
    Act.EXPORT: {R: True, M: True, N: True, A: True},
}


@pytest.mark.parametrize("act", Act)
def test_each_act_is_allowed_to_exactly_these_roles(act: Act) -> None:
    assert {role: may(role, act) for role in Role} == GRID[act]


def test_every_act_has_its_row() -> None:
    assert set(ALLOWED) == set(Act)


def test_a_manager_may_do_everything_a_reviewer_may() -> None:
    for act in Act:
        assert may(M, act) >= may(R, act)


def test_an_analyst_changes_nothing() -> None:
    allowed = {act for act in Act if may(N, act)}

    assert allowed == {Act.READ, Act.SEE_PROGRAM, Act.EXPORT}


def test_every_act_completes_the_sentence_you_may_not() -> None:
    assert len({act.value for act in Act}) == len(Act)
    assert all(act.value == act.value.strip() and act.value[0].islower() for act in Act)


def test_the_roles_are_those_of_the_contract() -> None:
    assert tuple(Role) == ("reviewer", "manager", "analyst", "admin")
