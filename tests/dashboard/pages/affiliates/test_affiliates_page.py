"""The affiliates page: three parts in the address, acts on the board, and no data."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import AFFILIATES
from data_access.affiliates import approved as affiliates_approved
from data_access.affiliates import board as affiliates_board
from data_access.affiliates import cohort_outcomes, requalification
from data_access.affiliates.requalification import Refreshed
from program.affiliates.requalification import Standing
from program.periods import ONE_DAY, month_start, months_later
from program.policy.policy import Policy
from program.review.permissions import Act, Role, may
from tests.builders import MINIMUMS, add_account, add_application, add_metrics, add_refresh
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, protos, texts
from tests.data_access.affiliate_months import (
    LONG_AGO,
    add_approval,
    add_month,
    add_short_reach,
    deliver,
)

MISSING, FINE = 1, 2
REFRESH = "Run `python -m data_access refresh`."


@pytest.fixture
def board(desk: Desk) -> Desk:
    """Two affiliates of half a year, one with three newest misses; and one to invite."""
    desk.who = PEOPLE[Role.MANAGER]
    newest = months_later(month_start(desk.yesterday + ONE_DAY), -1)
    approved = datetime(*months_later(newest, -8).timetuple()[:3], 12, tzinfo=UTC)
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday, at=desk.now - timedelta(hours=1))
        for id_ in (MISSING, FINE):
            add_application(conn, id_, status="approved", submitted_at=approved)
            add_approval(conn, id_, approved)
            for back in range(3):
                month = months_later(newest, -back)
                if id_ == MISSING:
                    add_month(conn, id_, month, Decimal(19_000_000))
                else:
                    add_month(conn, id_, month, Decimal(90_000_000), active=40, new=20)
                add_short_reach(conn, id_, month)
        deliver(conn, LONG_AGO, desk.yesterday)
        add_account(conn, 7, username="*one* to invite")
        add_metrics(conn, 7, **MINIMUMS)
        refresh_all(conn, desk)
    return desk


def refresh_all(conn: Connection, desk: Desk) -> None:
    done = Refreshed(
        start=LONG_AGO, through=desk.yesterday, policy=Policy(), before=None, now=desk.now
    )
    changed_accounts = affiliates_approved.keep(conn)
    requalification.test(conn, done, changed_accounts=changed_accounts)
    cohort_outcomes.update(conn, done)


def press(app: AppTest, key: str) -> AppTest:
    (button,) = (button for button in app.button if button.key == key)
    return button.click().run()


def test_the_page_needs_its_permission(desk: Desk) -> None:
    for role in Role:
        desk.who = PEOPLE[role]
        seen = texts(desk.open(AFFILIATES))
        assert ("Approved affiliates 0" in seen) is may(role, Act.SEE_AFFILIATES)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("", "The board is empty. Approved affiliates appear with the next refresh."),
        ("outcomes", f"Outcomes need computed metrics. {REFRESH}"),
        (
            "near-misses",
            f"The list needs metrics computed by the policy in force. {REFRESH}",
        ),
        ("<b>", "The board is empty. Approved affiliates appear with the next refresh."),
    ],
)
def test_an_empty_database_is_reported(desk: Desk, part: str, sentence: str) -> None:
    desk.who = PEOPLE[Role.MANAGER]

    assert sentence in texts(desk.open(AFFILIATES, part=part))


def test_the_board_shows_what_the_months_suggest(board: Desk) -> None:
    app = board.open(AFFILIATES)

    assert cells(app, "username") == [f"user{MISSING}", f"user{FINE}"]
    assert [list(cell) for cell in cells(app, "suggestion")] == [["‖ suspend"], []]
    assert cells(app, "misses") == ["3 in a row", "–"]
    assert cells(app, "near") == ["referral volume −5 %", ""]
    assert cells(app, "new_rate") == [10, 30]
    (caption,) = (words for words in texts(app, ["caption"]) if words.startswith("Newest month"))
    assert "UTC" in caption
    assert "silent: no messages are sent" in caption


def test_every_sign_of_the_months_is_in_the_legend_above_them(board: Desk) -> None:
    app = board.open(AFFILIATES)

    (legend,) = (line for line in texts(app, ["caption"]) if "oldest first" in line)
    assert "✓ met, − missed, ? unknown, ○ missed while protected after the approval" in legend
    signs = {sign for cell in cells(app, "months") for sign in cell.split()}
    assert len(signs) > 1
    assert all(f"{sign} " in legend for sign in signs)


def test_the_board_shows_which_months_miss_days(board: Desk) -> None:
    """The newest month lacks its first day: the one who was short has two misses and is kept."""
    newest = months_later(month_start(board.yesterday + ONE_DAY), -1)
    refresh_without(board, newest)

    app = board.open(AFFILIATES)

    length = (months_later(newest, 1) - newest).days
    gap = f"1 of {length} days not delivered"
    (caption,) = (words for words in texts(app, ["caption"]) if gap in words)
    assert "unknown, neither missed nor met" in caption
    assert [cell.split()[-1] for cell in cells(app, "months")] == ["?", "✓"]
    assert cells(app, "misses") == ["2 in a row", "–"]
    assert math.isnan(cells(app, "volume")[0])
    assert cells(app, "why") == [f"kept: {gap}"] * 2
    assert cells(app, "near") == ["", ""]


def test_outcomes_show_which_approvals_miss_days(board: Desk) -> None:
    newest = months_later(month_start(board.yesterday + ONE_DAY), -1)
    refresh_without(board, months_later(newest, -8).replace(day=2))

    app = board.open(AFFILIATES, part="outcomes", figure="active")

    assert cells(app, "30")[0] == "unknown, not delivered"
    assert "0 · –" in cells(app, "60")[0]
    assert any("at 30 days 2 of 2." in words for words in texts(app, ["caption"]))


def refresh_without(board: Desk, day: date) -> None:
    """Refresh as if nobody traded on one day."""
    with board.engine.begin() as conn:
        deliver(conn, LONG_AGO, board.yesterday, without=[day])
        refresh_all(conn, board)


def test_the_filters_are_in_the_address(board: Desk) -> None:
    app = board.open(AFFILIATES, suggested="suspended")
    assert cells(app, "username") == [f"user{MISSING}"]

    app = board.open(AFFILIATES, standing="terminated")
    assert "None of the 2 affiliates matches these filters." in texts(app)


def test_unused_parts_of_the_boards_address_are_named(board: Desk) -> None:
    app = board.open(AFFILIATES, standing="happy", month="met", near="yes", part="requalification")

    assert "The address asks for standing “happy” and near “yes”" in " ".join(texts(app))


def test_ticked_affiliates_are_suspended_with_a_reason_and_reported(board: Desk) -> None:
    app = board.open(AFFILIATES)
    tick(app, 0, 1)
    press(app, "affiliates-suspended")
    press(app, "affiliates-go-on")
    assert r"Choose a reason for the change\." in texts(app)
    app.selectbox[-1].set_value("minimums_missed")
    app.text_area[0].set_value("Three months short.")
    press(app, "affiliates-go-on")
    assert f"user{MISSING} (active), user{FINE} (active)" in texts(app)
    assert ":material/notifications_off: Silent by policy: no messages are sent." in texts(app)
    press(app, "affiliates-confirm")

    assert ":material/check: **Suspended: 2 of 2 affiliates**" in texts(app)
    with board.engine.connect() as conn:
        found = affiliates_board.rows(conn, [MISSING, FINE], Policy())
        channels = conn.execute(text("select channel from review.outbox")).scalars().all()
    assert {one.standing for one in found} == {Standing.SUSPENDED}
    assert channels == ["backend"] * 2

    assert "Can be undone for" in texts(app, ["text"])
    press(app, "affiliates-undo")

    assert ":material/check: **Undone: 2 of 2 affiliates**" in texts(app)
    with board.engine.connect() as conn:
        found = affiliates_board.rows(conn, [MISSING, FINE], Policy())
    assert {one.standing for one in found} == {Standing.ACTIVE}


def tick(app: AppTest, *rows: int) -> None:
    """Tick rows of the board by position."""
    (key,) = (k for k in app.session_state if re.fullmatch(r"affiliates--?\d+", k))
    app.session_state[key] = {"selection": {"rows": list(rows)}}
    app.run()


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ANALYST])
def test_others_read_the_board_and_are_offered_nothing(board: Desk, role: Role) -> None:
    board.who = PEOPLE[role]

    app = board.open(AFFILIATES)

    assert len(cells(app, "username")) == 2
    assert not [b for b in app.button if (b.key or "").startswith("affiliates-")]


def test_outcomes_show_when_a_cohort_will_be_complete(board: Desk) -> None:
    app = board.open(AFFILIATES, part="outcomes", figure="active")

    assert cells(app, "affiliates") == [2]
    assert cells(app, "30") == ["0 · –"]
    assert "Overrides (against the computed eligibility) and other approvals" in "".join(texts(app))


def test_near_misses_show_names_as_text(board: Desk) -> None:
    app = board.open(AFFILIATES, part="near-misses")

    assert "Near misses 1" in texts(app)
    assert cells(app, "username") == ["*one* to invite"]
    assert cells(app, "last") == ["never applied"]
    assert cells(app, "waits_until") == [None]
    assert [proto.label for proto in protos(app, "link_button")] == ["Export CSV, 1 row"]


def add_alert(conn: Connection, account: int, signal: str, day: date, **given: str) -> None:
    row = {"severity": "warn", "value": "0.36", "threshold": "0.30", **given}
    conn.execute(
        text(
            "insert into review.risk_alerts (account_id, signal, severity, value, threshold,"
            " data_through, noticed_at) values (:account, :signal, :severity, :value, :threshold,"
            " :day, now())"
        ),
        {"account": account, "signal": signal, "day": day, **row},
    )


def test_alerts_are_a_digest_of_each_day_high_ones_first(board: Desk) -> None:
    day = board.yesterday
    with board.engine.begin() as conn:
        add_alert(conn, FINE, "R07", day)
        add_alert(conn, MISSING, "R24", day, severity="high", value="0.123456", threshold="0.20")
        add_alert(conn, FINE, "R06", day - ONE_DAY, value="3.5", threshold="3")
        conn.execute(
            text(
                "insert into review.risk_dismissals (account_id, signal, reason, until, actor, at)"
                " values (:account, 'R07', 'A contest', :until, :actor, now())"
            ),
            {"account": FINE, "until": day + 30 * ONE_DAY, "actor": board.who},
        )

    app = board.open(AFFILIATES, part="alerts")

    assert cells(app, "signal", 0) == ["R24 Decay after approval", "R07 One-day volume"]
    assert cells(app, "value", 0) == ["0.12 ×", "36 %"]
    assert cells(app, "threshold", 0) == ["at most 0.20 ×", "at least 30 %"]
    assert cells(app, "account", 0) == [f"user{MISSING}", f"user{FINE}"]
    assert [one is not None for one in cells(app, "dismissed", 0)] == [False, True]
    (choice,) = (one for one in app.selectbox if one.label == "Data through")
    assert [words.split(" · ")[1] for words in choice.options] == [
        "2 signals of 2 affiliates",
        "1 signal of 1 affiliate",
    ]
    app = board.open(AFFILIATES, part="alerts", day=str(day - ONE_DAY))
    assert cells(app, "value", 0) == ["3.5 ×"]


def test_without_alerts_the_page_says_so(board: Desk) -> None:
    app = board.open(AFFILIATES, part="alerts", day="2020-02-30")

    assert any("No approved affiliate has broken its pattern" in one for one in texts(app))
