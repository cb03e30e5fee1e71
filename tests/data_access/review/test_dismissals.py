"""Dismissing a risk signal: what it changes, what stays, and what is refused."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import ConflictOfInterest, Invalid, NotInState
from data_access.eligibility import judging
from data_access.queue import listing
from data_access.review import dismissals
from data_access.risk import reading
from data_access.risk.reading import AccountRisk
from program.policy.eligibility import Facts
from program.policy.policy import Policy
from program.review.queue_filters import Filters
from program.risk.signals import Severity
from tests.builders import NOW, T, add_measures
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN

TODAY = NOW.date()


@pytest.fixture
def flagged(desk: Engine, eligible: int) -> int:
    with desk.begin() as conn:
        add_measures(conn, eligible, r10=1, r10_sample=12, r19="0.1")
    return eligible


def risk(desk: Engine, account_id: int) -> AccountRisk:
    with desk.connect() as conn:
        found = reading.read(conn, account_id, facts=Facts(), policy=Policy())
    assert found is not None
    return found


def in_queue(desk: Engine, id_: int) -> Any:
    with desk.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        return listing.page(conn, Filters(search=str(id_)), context)[0]


def test_a_dismissed_signal_neither_counts_nor_is_forgotten(desk: Engine, flagged: int) -> None:
    assert in_queue(desk, flagged).risk.signals == ("R10",)

    clicks.dismiss_signal(desk, flagged)

    found, row = risk(desk, flagged), in_queue(desk, flagged)
    result = found.risk.of("R10")
    assert result is not None
    assert (result.severity, result.dismissed) == (Severity.HIGH, True)
    assert (found.risk.level, found.risk.score) == (Severity.CLEAR, 0)
    assert (row.risk.level, row.risk.score, row.risk.signals) == (Severity.CLEAR, 0, ())


def test_it_counts_again_from_measures_of_the_day_on(desk: Engine, flagged: int) -> None:
    clicks.dismiss_signal(desk, flagged, until=TODAY + timedelta(days=1))
    later = "update review.risk_measures set data_through = :day where account_id = :id"
    levels = []
    for day in (TODAY, TODAY + timedelta(days=1)):
        with desk.begin() as conn:
            conn.execute(text(later), {"day": day, "id": flagged})
            conn.execute(text("select review.restate_measured()"))
        levels.append((risk(desk, flagged).risk.level, in_queue(desk, flagged).risk.level))

    assert levels == [(Severity.CLEAR,) * 2, (Severity.HIGH,) * 2]


def test_undoing_it_adds_a_row_and_each_dismissal_is_counted(desk: Engine, flagged: int) -> None:
    for _ in range(2):
        clicks.dismiss_signal(desk, flagged)
        clicks.end_dismissal(desk, flagged)

    found = risk(desk, flagged)
    assert len(found.dismissals) == 4
    assert found.times_dismissed("R10") == 2
    assert found.risk.level is in_queue(desk, flagged).risk.level is Severity.HIGH


def test_the_timeline_says_who_dismissed_what_until_when(desk: Engine, flagged: int) -> None:
    clicks.dismiss_signal(desk, flagged)
    clicks.end_dismissal(desk, flagged, actor=BEN)
    with desk.connect() as conn:
        said = [(e.actor, e.title, e.body) for e in clicks.thread(conn, flagged)]

    dismissed = "dismissed the risk signal new-account volume until 12 Jun 2026"
    assert (ANA, dismissed, "A launch party") in said
    assert (BEN, "let the risk signal new-account volume count again", "") in said


def test_a_decision_stores_the_dismissed_signal_too(desk: Engine, flagged: int) -> None:
    clicks.dismiss_signal(desk, flagged)
    clicks.approve(desk, flagged)
    with desk.connect() as conn:
        (made,) = clicks.decided(conn, flagged)
    kept = {one["id"]: one for one in made.snapshot["risk_signals"]}

    assert made.snapshot["risk_level"] == "clear"
    assert made.snapshot["risk_data_through"] == T.isoformat()
    assert (kept["R10"]["severity"], kept["R10"]["dismissed"]) == ("high", True)
    assert (kept["R19"]["severity"], kept["R19"]["dismissed"]) == ("clear", False)


@pytest.mark.parametrize("until", [TODAY, T, TODAY + timedelta(days=367), date(1000, 1, 1)])
def test_it_ends_on_a_day_within_a_year(desk: Engine, flagged: int, until: date) -> None:
    with pytest.raises(Invalid, match="at most a year ahead"):
        clicks.dismiss_signal(desk, flagged, until=until)


@pytest.mark.parametrize("until", [TODAY + timedelta(days=1), TODAY + dismissals.LONGEST])
def test_the_first_and_the_last_day_are_allowed(desk: Engine, flagged: int, until: date) -> None:
    assert clicks.dismiss_signal(desk, flagged, until=until)


def test_a_reason_is_required(desk: Engine, flagged: int) -> None:
    with pytest.raises(Invalid, match="reason"):
        clicks.dismiss_signal(desk, flagged, reason=" \u200b ")


def test_only_a_flagged_signal_can_be_dismissed_and_only_once(desk: Engine, flagged: int) -> None:
    for signal in ("R19", "R01"):
        with pytest.raises(NotInState, match="not flagged"):
            clicks.dismiss_signal(desk, flagged, signal=signal)
    with pytest.raises(Invalid, match="no such signal"):
        clicks.dismiss_signal(desk, flagged, signal="R99")
    with pytest.raises(NotInState, match="counts already"):
        clicks.end_dismissal(desk, flagged)
    clicks.dismiss_signal(desk, flagged)
    with pytest.raises(NotInState, match="already dismissed until 12 Jun"):
        clicks.dismiss_signal(desk, flagged, actor=BEN)


def test_whoever_has_a_conflict_dismisses_nothing(desk: Engine, flagged: int) -> None:
    clicks.declare_conflict(desk, flagged)

    with pytest.raises(ConflictOfInterest):
        clicks.dismiss_signal(desk, flagged)
