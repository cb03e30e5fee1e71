"""The risk panel: the headline, a signal opened to its numbers, and its dismissal."""

from decimal import Decimal
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import APPLICATION, QUEUE
from program.review.permissions import Act, Role, may
from program.risk.signals import CANNOT_BE_CHECKED, SIGNALS
from tests.builders import add_measures, scalar
from tests.dashboard.conftest import MET, SHORT
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, texts

MARKUP = "Knows *him* <img src=x onerror=alert(1)> [here](http://evil.test)"
REASON = "What did you find? (internal, required to dismiss)"
# R01 lacks its sample, R04 is clear, R32 asks.
MEASURED = {
    "r01": Decimal("0.5"),
    "r01_sample": 4,
    "r04": Decimal(20),
    "r04_sample": 44,
    "r32": Decimal("0.25"),
    "r32_sample": 20,
    "inputs": {
        "R32": {
            "family_kind": "address",
            "family_users": 5,
            "counting": 20,
            "family_list": [31, 32],
        }
    },
}


@pytest.fixture
def asked(queue: Desk) -> Desk:
    """An application with one clear signal, one that asks, and others that lack data."""
    with queue.engine.begin() as conn:
        add_measures(conn, MET, **MEASURED)
    return queue


def open_application(desk: Desk, id_: int = MET) -> AppTest:
    return desk.open(APPLICATION, id=str(id_))


def line(app: AppTest, signal: str) -> Any:
    (button,) = (b for b in app.button if str(b.key).startswith(f"risk-open-{signal}-"))
    return button


def lines(app: AppTest) -> list[str]:
    return [b.label for b in app.button if str(b.key).startswith("risk-open-")]


def opened(desk: Desk, signal: str = "R32") -> AppTest:
    return line(open_application(desk), signal).click().run()


def heading(app: AppTest) -> str:
    (found,) = (words for words in texts(app, ["markdown"]) if words.startswith("**Risk**"))
    return found


def dismiss(app: AppTest, reason: str = MARKUP) -> AppTest:
    (area,) = (one for one in app.text_area if one.label == REASON)
    area.set_value(reason)
    (button,) = (one for one in app.button if one.label == "Dismiss signal")
    return button.click().run()


def test_an_account_that_was_not_measured_is_unknown_and_not_clear(queue: Desk) -> None:
    app = open_application(queue)

    assert "not enough data" in heading(app)
    assert any("which is not the same as clear" in words for words in texts(app, ["caption"]))
    assert lines(app) == []


def test_the_headline_counts_what_could_be_checked(asked: Desk) -> None:
    found = heading(open_application(asked))

    assert f"2 of {len(SIGNALS)} could be checked" in found
    assert "UTC" in found


def test_only_flagged_signals_are_listed_and_the_others_counted(asked: Desk) -> None:
    app = open_application(asked)

    (flagged,) = lines(app)
    assert "25 %" in flagged
    assert "?" in flagged
    assert any(
        one.label == f"1 clear · {len(SIGNALS) - 2} without enough data · "
        f"{len(CANNOT_BE_CHECKED)} that cannot be checked"
        for one in app.expander
    )


def test_a_signal_opens_to_the_numbers_and_users_behind_it(asked: Desk) -> None:
    app = opened(asked)

    assert (
        "alike by similar addresses · users of one family 5 · users with an address 20 · "
        "the first of them u-31 and u-32"
    ) in texts(app, ["text"])


def test_a_second_press_closes_the_signal(asked: Desk) -> None:
    app = opened(asked)
    assert [area for area in app.text_area if area.label == REASON]

    app = line(app, "R32").click().run()

    assert not [area for area in app.text_area if area.label == REASON]


def test_a_dismissed_signal_says_who_and_why_and_no_longer_counts(asked: Desk) -> None:
    app = dismiss(opened(asked))

    assert "dismissed until" in lines(app)[0]
    assert "not enough data" in heading(app) or "clear" in heading(app)
    assert MARKUP in texts(app, ["text"])
    assert any(words.startswith("Dismissed once") for words in texts(app, ["caption"]))
    with asked.engine.connect() as conn:
        assert scalar(conn, "select count(*) from review.risk_dismissals") == 1


def test_a_dismissal_is_taken_back(asked: Desk) -> None:
    app = dismiss(opened(asked))

    (button,) = (one for one in app.button if one.label == "Let it count again")
    app = button.click().run()

    assert "dismissed until" not in lines(app)[0]
    assert [one.value for one in app.success] == ["The signal counts again\\."]


@pytest.mark.parametrize("reason", ["", "   ", "\u200b"])
def test_a_dismissal_without_a_reason_is_refused(asked: Desk, reason: str) -> None:
    app = dismiss(opened(asked), reason)

    assert "dismissed until" not in lines(app)[0]
    with asked.engine.connect() as conn:
        assert scalar(conn, "select count(*) from review.risk_dismissals") == 0
    assert texts(app, ["error"])


@pytest.mark.parametrize("role", Role)
def test_only_those_who_may_dismiss_see_the_form(role: Role, asked: Desk) -> None:
    asked.who = PEOPLE[role]

    app = opened(asked)

    shown = [area for area in app.text_area if area.label == REASON]
    assert bool(shown) is may(role, Act.DISMISS_SIGNAL)


def test_the_queue_is_filtered_by_level(asked: Desk) -> None:
    app = asked.open(QUEUE, risk="warn,high")

    assert cells(app, "applicant") == [f"user{MET}"]
    app = asked.open(QUEUE, risk="not_enough_data")
    assert f"user{SHORT}" in cells(app, "applicant")
    assert f"user{MET}" not in cells(app, "applicant")
