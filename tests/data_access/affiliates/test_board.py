"""The board reads what the refresh stored, and judges only the few others one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product
from random import Random

import pytest
from sqlalchemy import Connection, Engine, insert, text

from data_access.affiliates import board, judged
from data_access.affiliates.judged import BoardState
from data_access.db import tables
from program.affiliates.filters import ANY, MONTH_CHOICES, SUGGESTIBLE, BoardFilters
from program.affiliates.requalification import Standing
from program.policy.policy import Policy
from tests.builders import NOW, add_refresh
from tests.cases import every
from tests.data_access.affiliate_months import APPROVED, add_affiliate, add_approval, refresh
from tests.data_access.statements import sent

POLICY = Policy()
EVERY_VIEW = [
    BoardFilters(standing=standing, suggested=suggested, month=month, near=near, search=search)
    for standing, suggested, month, near, search in product(
        (None, *Standing),
        (None, ANY, *SUGGESTIBLE),
        (None, *MONTH_CHOICES),
        (False, True),
        ("", "1"),
    )
]
VIEWS = [BoardFilters(), *every(8, Random(5).sample(EVERY_VIEW, 60))]
pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def filled(shared_engine: Engine) -> Iterator[Connection]:
    """Sixty affiliates with every kind of months; half were moved, some before this approval."""
    with shared_engine.connect() as conn:
        fill(conn)
        yield conn
        conn.rollback()


@pytest.fixture
def full(filled: Connection) -> Iterator[Connection]:
    """The same for a test that may change it."""
    with filled.begin_nested() as point:
        yield filled
        point.rollback()


def fill(conn: Connection) -> None:
    chance = Random(3)
    add_refresh(conn)
    for id_ in range(1, 61):
        months = "".join(chance.choice("+-") for _ in range(chance.randrange(6)))
        early = APPROVED - timedelta(days=chance.randrange(300))
        late = datetime(2026, 1, 3, tzinfo=UTC)
        add_affiliate(
            conn,
            id_,
            months,
            approved_at=chance.choice([early, early, late]),
            seen_short=chance.random() < 0.8,
        )
    refresh(conn)
    moved = product(Standing, (NOW - timedelta(days=90),) * 2 + (datetime(2020, 1, 1, tzinfo=UTC),))
    for id_, (status, since) in zip(chance.sample(range(1, 61), 30), cycle(moved), strict=False):
        conn.execute(
            insert(tables.affiliate_standings).values(
                account_id=id_,
                status=status,
                since=since,
                changed_by="mira@example.com",
                reason_code="other",
                reason="Why not.",
                misses=0,
                count_from=chance.choice([None, date(2026, 2, 1)]),
            )
        )


@contextmanager
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Judge everybody, as under a policy with another protection."""
    stored = judged.state

    def uncounted(conn: Connection, policy: Policy) -> BoardState:
        return replace(stored(conn, policy), counted=False)

    with monkeypatch.context() as patch:
        patch.setattr(judged, "state", uncounted)
        yield


def numbers(conn: Connection, policy: Policy) -> set[board.Group]:
    return set(board.counts(conn, policy).groups)


def lists(conn: Connection, policy: Policy) -> dict[BoardFilters, list[int]]:
    return {view: list(board.shown(conn, view, policy, most=30)) for view in VIEWS}


def assert_same(conn: Connection, monkeypatch: pytest.MonkeyPatch, policy: Policy) -> None:
    counted, found = numbers(conn, policy), lists(conn, policy)
    with one_by_one(monkeypatch):
        assert counted == numbers(conn, policy)
        assert found == lists(conn, policy)
    for view, listed in found.items():
        assert min(30, board.count(conn, view, policy)) == len(listed), view


def test_stored_counts_and_order_are_those_of_judging_one_by_one(
    full: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for misses in (1, 3):
        policy = replace(POLICY, requalification_misses=misses)
        assert judged.state(full, policy).counted
        assert_same(full, monkeypatch, policy)
    groups = numbers(full, POLICY)
    assert {group.standing for group in groups} == set(Standing)
    assert {group.suggestion for group in groups} == {None, *SUGGESTIBLE}


def test_they_are_so_after_approvals_are_lost_and_after_the_next_refresh(
    full: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reopened, settled otherwise upstream, and approved anew."""
    before = board.counts(full, POLICY).total
    for status, ids in (("pending", "1, 2, 3"), ("rejected", "4, 5")):
        full.execute(
            text(
                f"update exchange.applications set status = '{status}' where application_id in ({ids})"
            )
        )
    decision = full.execute(
        text("select decision_id from review.decisions where application_id = 6")
    ).scalar_one()
    add_approval(full, 6, NOW, supersedes=decision)

    assert_same(full, monkeypatch, POLICY)
    assert board.counts(full, POLICY).total == before - 6
    refresh(full)
    assert_same(full, monkeypatch, POLICY)
    assert board.counts(full, POLICY).total == before - 5


def test_another_protection_is_counted_by_the_next_refresh(full: Connection) -> None:
    longer = replace(POLICY, requalification_protection_months=9)
    expected = numbers(full, longer)
    assert not judged.state(full, longer).counted

    refresh(full, policy=longer)

    assert judged.state(full, longer).counted
    assert numbers(full, longer) == expected


def test_the_board_takes_so_many_statements_whatever_is_shown(full: Connection) -> None:
    def taken(view: BoardFilters, size: int) -> tuple[int, int]:
        with sent(full) as counting:
            counts = board.counts(full, POLICY)
            board.count(full, replace(view, search=""), POLICY, counts)
        with sent(full) as listing:
            assert board.page(full, view, POLICY, size=size)
        return len(counting), len(listing)

    for view in (BoardFilters(), BoardFilters(suggested=ANY, search="1"), BoardFilters(page=2)):
        assert {taken(view, 10), taken(view, 1)} == {(2, 4)}
    full.execute(text("delete from review.uncounted"))
    assert taken(BoardFilters(), 10) == (2, 4)


def test_counts_do_not_read_the_affiliates(full: Connection) -> None:
    for emptied in ("uncounted", "affiliate_standings"):
        full.execute(text(f"delete from review.{emptied}"))
    expected = numbers(full, POLICY)

    full.execute(text("delete from review.affiliate_tested"))

    assert numbers(full, POLICY) == expected
