"""One application: what is known of it, and what each role may do about it."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, text
from streamlit.testing.v1 import AppTest

from dashboard import sign_in
from dashboard.screens import APPLICATION
from data_access import assessments, decisions, evidence, notes, standings, tables
from data_access.partitions import ensure_months
from data_access.rollups.refreshing import refresh
from program.evidence import EvidenceKind, EvidenceMethod
from program.periods import day_start
from program.permissions import Act, Role, may
from program.workflow import APPROVAL_MESSAGE, REASONS, Decision
from tests.builders import add_application, add_evidence, add_refresh, scalar
from tests.pages.conftest import MET, SHORT, UNKNOWN
from tests.pages.screen import PEOPLE, Desk, cells, protos, said

ABSENT = 999


def open_application(desk: Desk, id_: int = MET, **query: str) -> AppTest:
    return desk.open(APPLICATION, id=str(id_), **query)


def choose(app: AppTest, id_: int, outcome: Decision, reason: str = "") -> str:
    """Choose what to decide; returns the part of the keys that names this form."""
    app.button_group(key=f"decide-{id_}").set_value(outcome).run()
    if reason:
        app.selectbox(key=f"reason-{id_}").set_value(reason).run()
    return f"{id_}-{outcome}-{reason}"


def approve(app: AppTest, id_: int = MET, *, rationale: str = "Steady", rate: float = 20.0) -> None:
    part = choose(app, id_, Decision.APPROVED)
    app.text_area(key=f"rationale-{id_}").input(rationale)
    app.number_input(key=f"rate-{id_}").set_value(rate)
    app.button(key=f"send-{part}").click().run()


def decide_elsewhere(desk: Desk, id_: int = MET, **given: Any) -> None:
    """A colleague's approval, past this page."""
    with desk.engine.connect() as conn:
        shown = assessments.read(conn, id_, standings.basis(conn, now=desk.now)).seen
    decisions.approve(
        desk.engine,
        **{
            "application_id": id_,
            "rebate_rate": Decimal("0.25"),
            "rationale": "Known to us",
            "message": "Welcome aboard",
            "shown": shown,
            "actor": "ben@example.com",
            "now": desk.now,
            "request_id": uuid.uuid4(),
            "override": True,
            **given,
        },
    )


def reject_elsewhere(desk: Desk, id_: int = SHORT) -> None:
    """A colleague's rejection, past this page."""
    with desk.engine.connect() as conn:
        shown = assessments.read(conn, id_, standings.basis(conn, now=desk.now)).seen
    decisions.reject(
        desk.engine,
        application_id=id_,
        reason_code="below_minimums",
        rationale="Far below",
        message="Not yet",
        shown=shown,
        actor="ben@example.com",
        now=desk.now,
        request_id=uuid.uuid4(),
        override=True,
    )


def rows_of(desk: Desk, table: str) -> int:
    with desk.engine.connect() as conn:
        return int(scalar(conn, f"select count(*) from {table}"))


def lines(app: AppTest) -> dict[str, tuple[str, str, str]]:
    """Each criterion of the scorecard: its outcome, value and remark."""
    found = {}
    for columns in app.columns:
        texts = [element.value for element in columns.text]
        if len(texts) == 1:
            found[texts[0]] = columns
    labels = ["Referral volume, USD", "Active users", "New users"]
    labels += ["Followers on X", "Volume on other exchanges, USD"]
    order = list(app.columns)
    return {
        label: (
            outcome_word(order[order.index(found[label]) - 1]),
            order[order.index(found[label]) + 1].text[0].value,
            order[order.index(found[label]) + 2].caption[0].value,
        )
        for label in labels
    }


def outcome_word(column: Any) -> str:
    return str(column.markdown[0].value).split(": ", 1)[1].rstrip("]")


# Who applies, and where from here.


def test_it_says_who_applies_and_how_to_reach_them(queue: Desk) -> None:
    app = open_application(queue)

    assert "user1" in said(app, ["subheader"])
    assert "Account 1 · BR · KYC verified · since 8 Feb 2025" in said(app)
    copied = said(app, ["code"])
    assert copied == ["@handle1", "contact1", "user1@example.com"]
    (profile,) = protos(app, "link_button")
    assert profile.url == "https://x.com/handle1"


def test_what_the_applicant_left_out_is_said_or_left_out(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_application(
            conn,
            9,
            account={"email": None, "country_code": None, "kyc_status": "none"},
            social_handle="not a plain handle",
            contact_platform=None,
            contact_handle=None,
        )

    app = open_application(queue, 9)

    assert "Account 9 · country unknown · KYC none · since 8 Feb 2025" in said(app)
    assert said(app, ["code"]) == ["not a plain handle"]
    assert protos(app, "link_button") == []


@pytest.mark.parametrize(
    ("id_", "query", "place", "previous", "following"),
    [
        (MET, {}, "1 of 3", None, SHORT),
        (SHORT, {}, "2 of 3", MET, UNKNOWN),
        (UNKNOWN, {}, "3 of 3", SHORT, None),
        (SHORT, {"sort": "submitted"}, "2 of 3", UNKNOWN, MET),
        (MET, {"eligibility": "met,unknown"}, "1 of 2", None, UNKNOWN),
        (SHORT, {"eligibility": "met"}, None, None, MET),
    ],
)
def test_previous_and_next_stay_within_the_filters(
    id_: int,
    query: dict[str, str],
    place: str | None,
    previous: int | None,
    following: int | None,
    queue: Desk,
) -> None:
    app = open_application(queue, id_, **query)
    assert [words for words in said(app, ["caption"]) if " of " in words[:6]] == (
        [place] if place else []
    )
    for key, neighbour in (("step-Previous", previous), ("step-Next", following)):
        assert app.button(key=key).disabled is (neighbour is None)
        if neighbour is not None:
            app.button(key=key).click().run()
            assert app.query_params == {**query, "id": str(neighbour)}
            assert f"user{neighbour}" in said(app)
            app = open_application(queue, id_, **query)


def test_the_way_back_to_the_queue_keeps_the_filters(queue: Desk) -> None:
    app = open_application(queue, eligibility="met", sort="volume")

    (back,) = protos(app, "page_link")
    assert back.label == "Queue 1"
    assert back.query_string == "eligibility=met&sort=volume"


@pytest.mark.parametrize(
    ("id_", "sentence"),
    [
        (None, "This address names no application."),
        ("", "This address names no application."),
        ("abc", "This address names no application."),
        ("-1", "This address names no application."),
        ("1; drop table", "This address names no application."),
        ("²", "This address names no application."),
        ("1" * 40, "This address names no application."),
        (str(ABSENT), "There is no application 999."),
        ("0", "There is no application 0."),
    ],
)
def test_an_address_without_an_application_is_refused_calmly(
    id_: str | None, sentence: str, queue: Desk
) -> None:
    query = {"sort": "volume"} if id_ is None else {"sort": "volume", "id": id_}

    app = queue.open(APPLICATION, **query)

    assert sentence in said(app)
    assert ":material/lock:" in said(app)
    (way_on,) = protos(app, "page_link")
    assert (way_on.label, way_on.query_string) == ("Back to the queue", "sort=volume")
    assert not app.error
    assert not app.warning
    assert not app.button


# How it stands.


def test_a_met_application_says_by_how_much(queue: Desk) -> None:
    app = open_application(queue)

    assert lines(app) == {
        "Referral volume, USD": ("met", "31.2 M of 20 M", "+56 %"),
        "Active users": ("met", "44 of 15", "+193 %"),
        "New users": ("met", "9 of 5", "+80 %"),
        "Followers on X": ("unknown", "– of > 5,000", "nobody has looked lately"),
        "Volume on other exchanges, USD": ("unknown", "– of 20 M", "nobody has looked lately"),
    }
    assert ":green-badge[:material/check: met · on-exchange]" in said(app)


def test_falling_short_says_what_is_missing(queue: Desk) -> None:
    app = open_application(queue, SHORT)

    assert lines(app) == {
        "Referral volume, USD": ("not met", "19.9 M of 20 M", "−<1 % · 0.01 USD short"),
        "Active users": ("not met", "14 of 15", "−6 % · 1 user short"),
        "New users": ("not met", "4 of 5", "−20 % · 1 user short"),
        "Followers on X": ("not met", "4,000 of > 5,000", "−20 % · 1,001 followers short"),
        "Volume on other exchanges, USD": (
            "not met",
            "12.3 M of 20 M",
            "−38 % · 7.6 M USD short",
        ),
    }


def test_unknown_and_failed_do_not_look_alike(queue: Desk) -> None:
    failed = said(open_application(queue, SHORT), ["markdown"])
    unknown = said(open_application(queue, UNKNOWN), ["markdown"])

    assert ":orange-badge[:material/remove: not met]" in failed
    assert not any(":gray-badge" in words for words in failed)
    assert ":gray-badge[:material/question_mark: unknown]" in unknown


def test_the_window_is_named_with_its_zone(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_refresh(conn, through=date(2026, 3, 14), at=queue.now)

    assert "13 Feb – 14 Mar, UTC" in said(open_application(queue))


def test_an_account_without_metrics_yet_is_unknown_never_zero(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            text("update exchange.accounts set first_seen_at = now() where account_id = 3")
        )

    app = open_application(queue, UNKNOWN)

    assert lines(app)["Referral volume, USD"] == ("unknown", "– of 20 M", "metrics not loaded")
    assert said(app).count("Metrics are not loaded for this account yet.") == 2
    assert not any("No referral activity" in words for words in said(app))
    assert not any("Nobody referred" in words for words in said(app))


def test_an_account_without_referrals_is_known_to_have_none(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)

    assert lines(app)["Active users"] == ("not met", "0 of 15", "−100 % · 15 users short")
    assert "No referral activity in the last twelve months." in said(app)
    assert "Nobody referred by this account traded in the window." in said(app)


@pytest.mark.parametrize(("days_behind", "provisional"), [(0, False), (1, True)])
def test_on_old_metrics_eligibility_is_provisional(
    days_behind: int, provisional: bool, desk: Desk
) -> None:
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday - timedelta(days=days_behind), at=desk.now)
        add_application(conn, MET)
    app = open_application(desk)
    choose(app, MET, Decision.APPROVED)

    badges = [words for words in said(app, ["markdown"]) if "provisional" in words]
    warnings = said(app, ["warning"])
    assert len(badges) == (2 if provisional else 0)
    assert ("Metrics are behind; eligibility is provisional." in warnings) is provisional
    assert len(warnings) == (2 if provisional else 0)


def test_metrics_never_computed_are_said_and_nothing_is_claimed(desk: Desk) -> None:
    with desk.engine.begin() as conn:
        add_application(conn, MET)

    app = open_application(desk)

    assert said(app, ["warning"])[0].startswith("Metrics have never been computed")
    assert {outcome for outcome, *_ in lines(app).values()} == {"unknown"}
    assert not any("No referral activity" in words for words in said(app))
    assert not any("Nobody referred" in words for words in said(app))


# How the referrals developed.


@pytest.fixture
def trading(queue: Desk) -> Desk:
    """Two referred users: 3 M USD on the last day, 1 M on the day before; one is new."""
    last, before = queue.yesterday, queue.yesterday - timedelta(days=1)
    with queue.engine.begin() as conn:
        ensure_months(conn, before, last)
        conn.execute(
            insert(tables.referral_activity).values(
                affiliate_account_id=MET, fees_usd=0, trade_count=1
            ),
            [
                {"referred_account_id": 73, "activity_date": last, "volume_usd": 3_000_000},
                {"referred_account_id": 71, "activity_date": before, "volume_usd": 1_000_000},
            ],
        )
        conn.execute(
            insert(tables.referrals).values(
                affiliate_account_id=MET,
                referred_account_id=73,
                referred_at=day_start(last) + timedelta(hours=12),
            )
        )
    refresh(queue.engine, now=queue.now, since=before)
    return queue


def test_the_chart_is_told_in_words_and_follows_the_choice(trading: Desk) -> None:
    app = open_application(trading)
    last = trading.yesterday
    day = f"{last.day} {last:%b %Y}"

    (chart,) = protos(app, "plotly_chart")
    assert chart.alt == (
        "Referral volume by day, UTC; the window is shaded "
        f"Highest: 3,000,000.00 USD on {day}. Last: 3,000,000.00 USD on {day}."
    )

    app.button_group(key="trend-by").set_value("Months").run()

    (chart,) = protos(app, "plotly_chart")
    assert chart.alt.startswith("Referral volume by calendar month, UTC")

    app.button_group(key="trend-what").set_value("Active").run()

    (chart,) = protos(app, "plotly_chart")
    assert chart.alt.startswith("Active users by calendar month, UTC")


def test_the_users_who_carry_the_window_are_listed_with_their_share(trading: Desk) -> None:
    app = open_application(trading)

    assert cells(app, "user") == ["u-73", "u-71"]
    assert cells(app, "volume") == ["3 M", "1 M"]
    assert cells(app, "share") == [0.75, 0.25]
    assert cells(app, "since")[1] == "unknown"
    assert any(words.endswith(", UTC · 2 of 2 active") for words in said(app))


# Roles.


@pytest.mark.parametrize("role", Role)
def test_a_role_sees_the_forms_it_may_send(role: Role, queue: Desk) -> None:
    queue.who = PEOPLE[role]

    app = open_application(queue)

    offered = {button.label for button in app.button}
    deciding = [proto.label for proto in protos(app, "button_group") if proto.label == "Decision"]
    assert bool(deciding) is may(role, Act.DECIDE)
    assert ("Add note" in offered) is may(role, Act.WRITE_NOTE)
    assert ("Record" in offered) is may(role, Act.RECORD_EVIDENCE)
    waits = f"Waiting for a reviewer. Your role, {role}, does not decide."
    assert (waits in said(app)) is not may(role, Act.DECIDE)


def test_a_role_lost_between_looking_and_pressing_is_refused(queue: Desk) -> None:
    app = open_application(queue)
    choose(app, MET, Decision.APPROVED)
    with queue.engine.begin() as conn:
        conn.execute(text("update review.staff set role = 'analyst' where email like 'ana@%'"))
    app.text_area(key=f"rationale-{MET}").input("Steady")

    app.button(key=f"send-{MET}-approved-").click().run()

    assert any("analyst" in words and "may not" in words for words in said(app, ["error"]))
    assert rows_of(queue, "review.decisions") == 0


# Deciding.


def test_nothing_can_be_sent_before_choosing(queue: Desk) -> None:
    app = open_application(queue)

    assert "Choose one to see what it needs. Nothing is sent before you confirm." in said(app)
    assert not [button for button in app.button if button.label in ("Approve", "Reject")]


def test_an_approval_asks_for_rate_rationale_and_message(queue: Desk) -> None:
    app = open_application(queue)
    part = choose(app, MET, Decision.APPROVED)

    rate = app.number_input(key=f"rate-{MET}")
    assert rate.label == "Rebate, % of net fees (above 10, at most 50)"
    assert rate.value == 20.0
    assert app.text_area(key=f"rationale-{MET}").label == "Rationale, internal"
    assert app.text_area(key=f"message-{part}").value == APPROVAL_MESSAGE
    assert app.button(key=f"send-{part}").label == "Approve"
    assert f"reason-{MET}" not in {box.key for box in app.selectbox}


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code)
def test_a_rejection_asks_for_a_reason_that_brings_its_message(reason: Any, queue: Desk) -> None:
    app = open_application(queue, SHORT)

    part = choose(app, SHORT, Decision.REJECTED, reason.code)

    assert app.text_area(key=f"message-{part}").value == reason.message
    assert not app.number_input


@pytest.mark.parametrize(
    ("id_", "outcome", "word"),
    [
        (MET, Decision.APPROVED, None),
        (MET, Decision.REJECTED, "met"),
        (SHORT, Decision.APPROVED, "not met"),
        (SHORT, Decision.REJECTED, None),
        (UNKNOWN, Decision.APPROVED, "unknown"),
        (UNKNOWN, Decision.REJECTED, None),
    ],
)
def test_only_a_decision_against_the_computation_asks_to_confirm_that(
    id_: int, outcome: Decision, word: str | None, queue: Desk
) -> None:
    app = open_application(queue, id_)

    choose(app, id_, outcome)

    confirmations = [box.label for box in app.checkbox]
    expected = f"I decide against the computed eligibility, which is {word}"
    assert confirmations == ([expected] if word else [])


def test_an_approval_is_shown_as_the_database_has_it(queue: Desk) -> None:
    app = open_application(queue)

    approve(app, rationale="Steady referrals", rate=22.5)

    assert said(app, ["success"]) == [f"Application {MET} is approved\\."]
    for words in ("Rebate 22.5 % of net fees", "Steady referrals", APPROVAL_MESSAGE):
        assert words in said(app, ["text"])
    assert not app.error
    assert app.button(key="open-next").label == "Open the next one"
    with queue.engine.connect() as conn:
        made = decisions.current(conn, MET)
    assert made is not None
    assert made.rebate_rate == Decimal("0.2250")
    assert (made.decided_by, made.is_override) == ("ana@example.com", False)

    again = open_application(queue)

    assert not again.success
    assert "Rebate 22.5 % of net fees" in said(again)


def test_a_rejection_against_the_computation_is_marked(queue: Desk) -> None:
    app = open_application(queue)
    part = choose(app, MET, Decision.REJECTED, "self_referral")
    app.text_area(key=f"rationale-{MET}").input("Linked accounts")
    app.checkbox(key=f"override-{part}").check()

    app.button(key=f"send-{part}").click().run()

    assert said(app, ["success"]) == [f"Application {MET} is rejected\\."]
    assert "Reason: Self-referral" in said(app)
    assert any("against the computed eligibility" in words for words in said(app, ["markdown"]))


def test_the_next_one_is_opened_within_the_filters(queue: Desk) -> None:
    app = open_application(queue, eligibility="met,unknown")
    approve(app)

    app.button(key="open-next").click().run()

    assert app.query_params == {"eligibility": "met,unknown", "id": str(UNKNOWN)}
    assert "user3" in said(app)


@pytest.mark.parametrize(
    ("rationale", "message", "rate", "sentence"),
    [
        ("", "Welcome", 20.0, "The rationale is empty"),
        ("   ", "Welcome", 20.0, "The rationale is empty"),
        ("Steady", "", 20.0, "The message to the applicant is empty"),
        ("x" * 4001, "Welcome", 20.0, "has 4,001 characters"),
        ("Steady", "Welcome", 10.0, "must be above the standard 10"),
        ("Steady", "Welcome", 50.5, "at most 50"),
        ("a\0b", "Welcome", 20.0, "NUL"),
    ],
)
def test_a_refused_decision_says_why_and_keeps_the_text(
    rationale: str, message: str, rate: float, sentence: str, queue: Desk
) -> None:
    app = open_application(queue)
    part = choose(app, MET, Decision.APPROVED)
    app.text_area(key=f"rationale-{MET}").input(rationale)
    app.text_area(key=f"message-{part}").input(message)
    app.number_input(key=f"rate-{MET}").set_value(rate)

    app.button(key=f"send-{part}").click().run()

    (error,) = said(app, ["error"])
    assert sentence in error.replace("\\", "")
    assert app.text_area(key=f"rationale-{MET}").value == rationale
    assert app.text_area(key=f"message-{part}").value == message
    assert app.number_input(key=f"rate-{MET}").value == rate
    assert rows_of(queue, "review.decisions") == 0
    app.run()
    assert not app.error, "a refusal is said once"


def test_deciding_against_the_computation_without_confirming_is_refused(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)

    approve(app, UNKNOWN)

    (error,) = said(app, ["error"])
    assert "Eligibility is unknown, so this goes against it" in error.replace("\\", "")
    assert app.text_area(key=f"rationale-{UNKNOWN}").value == "Steady"


def test_a_rejection_without_a_reason_is_refused(queue: Desk) -> None:
    app = open_application(queue, SHORT)
    part = choose(app, SHORT, Decision.REJECTED)
    app.text_area(key=f"rationale-{SHORT}").input("Far below")
    app.text_area(key=f"message-{part}").input("Not yet")

    app.button(key=f"send-{part}").click().run()

    assert "Choose a reason for the rejection" in said(app, ["error"])[0]
    assert app.text_area(key=f"message-{part}").value == "Not yet"


def test_the_rationale_survives_a_change_of_mind(queue: Desk) -> None:
    app = open_application(queue)
    choose(app, MET, Decision.APPROVED)
    app.text_area(key=f"rationale-{MET}").input("Spoke on Telegram")
    # What is typed within a form arrives with its button; a refusal brings it to the server.
    app.text_area(key=f"message-{MET}-approved-").input("")
    app.button(key=f"send-{MET}-approved-").click().run()
    assert app.error

    choose(app, MET, Decision.REJECTED, "other")

    assert app.text_area(key=f"rationale-{MET}").value == "Spoke on Telegram"


def test_metrics_that_moved_meanwhile_are_named_and_the_text_is_kept(queue: Desk) -> None:
    app = open_application(queue)
    part = choose(app, MET, Decision.APPROVED)
    app.text_area(key=f"rationale-{MET}").input("Steady")
    app.text_area(key=f"message-{part}").input("Welcome")
    with queue.engine.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = 43"))

    app.button(key=f"send-{part}").click().run()

    (error,) = said(app, ["error"])
    assert "active users: 44 is now 43" in error.replace("\\", "").replace("\u2060", "")
    assert app.text_area(key=f"rationale-{MET}").value == "Steady"
    assert app.text_area(key=f"message-{part}").value == "Welcome"
    assert lines(app)["Active users"][1] == "43 of 15"
    assert rows_of(queue, "review.decisions") == 0

    app.button(key=f"send-{part}").click().run()

    assert app.success, "looked at again, it can be decided"


def test_a_colleague_who_decided_first_is_named_and_nothing_typed_is_lost(queue: Desk) -> None:
    app = open_application(queue)
    part = choose(app, MET, Decision.APPROVED)
    app.text_area(key=f"rationale-{MET}").input("My own reasons")
    app.text_area(key=f"message-{part}").input("My own message")
    decide_elsewhere(queue)

    app.button(key=f"send-{part}").click().run()

    (error,) = said(app, ["error"])
    assert "Already approved by ben" in error.replace("\\", "")
    assert "Your text is kept below" in error
    for _ in range(3):
        assert "**What you had written**" in said(app)
        assert {"My own reasons", "My own message"} <= set(said(app, ["code"]))
        assert "Known to us" in said(app, ["text"])
        # Another look at the chart must not take it away.
        app.button_group(key="trend-by").set_value("Months").run()
    assert rows_of(queue, "review.decisions") == 1


def test_a_withdrawal_meanwhile_is_said(queue: Desk) -> None:
    app = open_application(queue)
    part = choose(app, MET, Decision.APPROVED)
    app.text_area(key=f"rationale-{MET}").input("Steady")
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    app.button(key=f"send-{part}").click().run()

    assert "Already withdrawn" in said(app, ["error"])[0]
    assert "Steady" in said(app, ["code"])


def twice(verb: Callable[..., int]) -> Callable[..., int]:
    """The verb as a double click calls it."""

    def called(*given: Any, **named: Any) -> int:
        assert verb(*given, **named) == verb(*given, **named)
        return verb(*given, **named)

    return called


def test_a_double_click_decides_once(queue: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "approve", twice(decisions.approve))
    app = open_application(queue)

    approve(app)

    assert app.success
    assert rows_of(queue, "review.decisions") == 1
    assert rows_of(queue, "review.outbox") == 1


def test_a_form_keeps_its_request_id_until_it_was_accepted(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[uuid.UUID] = []
    write = notes.write

    def lost(*given: Any, **named: Any) -> int:
        sent.append(named["request_id"])
        result = write(*given, **named)
        if len(sent) == 1:
            raise ConnectionError("the answer got lost")
        return result

    monkeypatch.setattr(notes, "write", lost)
    app = open_application(queue)
    note(app, "Spoke on Telegram")
    assert app.exception
    app.run()

    note(app, "Spoke on Telegram")

    assert sent[0] == sent[1]
    assert rows_of(queue, "review.notes") == 1
    assert said(app).count("Spoke on Telegram") == 1


# What was decided.


def test_an_approved_application_shows_the_decision_and_no_form(queue: Desk) -> None:
    decide_elsewhere(queue)

    app = open_application(queue)

    assert "Rebate 25 % of net fees" in said(app)
    assert {"Known to us", "Welcome aboard"} <= set(said(app, ["text"]))
    last = queue.yesterday
    assert f"Decided on data through {last.day} {last:%b %Y}." in said(app)
    assert ":green-badge[:material/check_circle: approved]" in said(app)
    assert not [proto for proto in protos(app, "button_group") if proto.label == "Decision"]
    assert not any("pending" in words for words in said(app, ["markdown"]))


def test_a_rejected_application_shows_the_reason_in_words(queue: Desk) -> None:
    reject_elsewhere(queue)

    app = open_application(queue, SHORT)

    assert "Reason: Below the minimums" in said(app)
    assert ":gray-badge[:material/block: rejected]" in said(app)
    assert any("ben" in words and "policy version 1" in words for words in said(app, ["caption"]))


def test_a_withdrawn_application_says_that_nothing_was_decided_here(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    app = open_application(queue)

    assert ":gray-badge[:material/undo: withdrawn]" in said(app)
    assert "Recorded upstream; nothing was decided here." in said(app)
    assert not [proto for proto in protos(app, "button_group") if proto.label == "Decision"]


def test_notes_and_evidence_stay_open_after_a_decision(queue: Desk) -> None:
    decide_elsewhere(queue)
    app = open_application(queue)

    note(app, "Called back")

    assert "Called back" in said(app)


# Notes and evidence.


def field(app: AppTest, kind: str, prefix: str) -> Any:
    """The widget whose key begins with ``prefix``; a form's keys end with its request id."""
    (found,) = (w for w in getattr(app, kind) if (w.key or "").startswith(prefix))
    return found


def note(app: AppTest, body: str, id_: int = MET) -> None:
    field(app, "text_area", f"note-{id_}-body").input(body)
    field(app, "button", f"note-{id_}-send").click().run()


def record(
    app: AppTest, value: str, kind: str = "x_followers", id_: int = UNKNOWN, **parts: str
) -> None:
    form = f"evidence-{kind}-{id_}"
    field(app, "text_input", f"{form}-value").input(value)
    for part, typed in parts.items():
        field(app, "text_input", f"{form}-{part}").input(typed)
    field(app, "button", f"{form}-send").click().run()


def test_a_note_joins_the_thread_and_empties_its_form(queue: Desk) -> None:
    app = open_application(queue)
    assert "**Thread** · 1" in said(app)

    note(app, "Spoke on **Telegram**\nwill call back")

    assert [toast.value for toast in app.toast] == ["Note added."]
    assert "Spoke on **Telegram**\nwill call back" in said(app, ["text"])
    assert "**Thread** · 2" in said(app)
    assert field(app, "text_area", f"note-{MET}-body").value == ""
    assert rows_of(queue, "review.notes") == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "The note is empty"),
        (" \n ", "The note is empty"),
        ("x" * 10_001, "10,001 characters"),
    ],
)
def test_a_refused_note_says_why_and_keeps_the_text(body: str, sentence: str, queue: Desk) -> None:
    app = open_application(queue)

    note(app, body)

    assert sentence in said(app, ["error"])[0]
    assert field(app, "text_area", f"note-{MET}-body").value == body
    assert rows_of(queue, "review.notes") == 0


def test_recorded_followers_count_at_once(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)
    assert "Nobody has looked at this applicant's reach elsewhere yet." in said(app)

    record(app, " 5001 ", source="https://x.com/handle3")

    assert [toast.value for toast in app.toast] == ["Evidence recorded."]
    assert lines(app)["Followers on X"] == ("met", "5,001 of > 5,000", "+<1 %")
    assert ":green-badge[:material/check: met · external]" in said(app)
    assert cells(app, "what") == ["5,001 followers on X"]
    assert cells(app, "state") == ["✓ counts"]
    assert cells(app, "how") == ["Profile page"]
    assert cells(app, "source") == ["https://x.com/handle3"]
    assert field(app, "text_input", "evidence-x_followers-3-value").value == ""


def test_volumes_on_other_exchanges_add_up(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)

    record(app, "12000000.50", "external_volume", exchange="ExA")
    record(app, "8000000", "external_volume", exchange="ExB")

    assert lines(app)["Volume on other exchanges, USD"][:2] == ("met", "20 M of 20 M")
    assert cells(app, "state") == ["✓ counts", "✓ counts"]


@pytest.mark.parametrize(
    ("kind", "value", "parts", "sentence"),
    [
        ("x_followers", "", {}, "Write the value as a plain number"),
        ("x_followers", "5k", {}, "Write the value as a plain number"),
        ("x_followers", "5,200", {}, "Write the value as a plain number"),
        ("x_followers", "-1", {}, "not negative"),
        ("x_followers", "NaN", {}, "Write the value as a plain number"),
        ("x_followers", "5_200", {}, "Write the value as a plain number"),
        ("x_followers", "5200.5", {}, "Followers are a whole number"),
        ("x_followers", "9" * 30, {}, "Followers are a whole number"),
        ("x_followers", "5200", {"source": "javascript:alert(1)"}, "not a web address"),
        ("external_volume", "20000000", {}, "Say which exchange"),
        ("external_volume", "1.005", {"exchange": "ExA"}, "at most two decimals"),
        ("external_volume", "1e3", {"exchange": "ExA"}, "Write the value as a plain number"),
    ],
)
def test_evidence_that_cannot_be_taken_is_refused_and_kept(
    kind: str, value: str, parts: dict[str, str], sentence: str, queue: Desk
) -> None:
    app = open_application(queue, UNKNOWN)

    record(app, value, kind, **parts)

    assert sentence in said(app, ["error"])[0].replace("\\", "")
    assert field(app, "text_input", f"evidence-{kind}-3-value").value == value
    for part, typed in parts.items():
        assert field(app, "text_input", f"evidence-{kind}-3-{part}").value == typed
    assert rows_of(queue, "review.evidence") == 2


def test_older_and_expired_evidence_stays_and_says_so(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for value, days in ((7000, 1), (6000, 5), (5500, 95)):
            add_evidence(conn, UNKNOWN, value=value, observed_at=queue.now - timedelta(days=days))

    app = open_application(queue, UNKNOWN)

    assert "**Evidence** · 3" in said(app)
    assert cells(app, "state") == ["✓ counts", "superseded", "expired"]


def test_evidence_recorded_meanwhile_stops_a_decision(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)
    part = choose(app, UNKNOWN, Decision.REJECTED, "below_minimums")
    app.text_area(key=f"rationale-{UNKNOWN}").input("Too small")
    evidence.record(
        queue.engine,
        application_id=UNKNOWN,
        entry=evidence.Entry(
            kind=EvidenceKind.X_FOLLOWERS,
            value=Decimal(9000),
            observed_at=queue.now,
            method=EvidenceMethod.PROFILE_PAGE,
        ),
        actor="ben@example.com",
        now=queue.now,
        request_id=uuid.uuid4(),
    )

    app.button(key=f"send-{part}").click().run()

    assert "followers on x: unknown is now 9,000" in (
        said(app, ["error"])[0].replace("\\", "").replace("\u2060", "")
    )
    assert app.checkbox, "what was agreed with the computation now goes against it"


# The thread, and the account's history.


def test_the_thread_tells_everything_newest_first(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for hours, table, values in (
            (4, tables.notes, {"body": "First look", "author": "ana@example.com"}),
            (3, tables.checks, {"item": "kyc", "outcome": "passed", "author": "ana@example.com"}),
        ):
            conn.execute(
                insert(table).values(
                    application_id=MET, created_at=queue.now - timedelta(hours=hours), **values
                )
            )
    decide_elsewhere(queue)

    app = open_application(queue)

    icons = ("inbox", "sticky_note_2", "checklist", "gavel")
    order = [
        icon
        for words in said(app, ["caption"])
        for icon in icons
        if words.startswith(f":material/{icon}:")
    ]
    assert order == ["gavel", "checklist", "sticky_note_2", "inbox"]
    assert "**Thread** · 4" in said(app)


def test_a_long_thread_says_how_many_lines_it_leaves_out(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            insert(tables.notes),
            [{"application_id": MET, "body": f"note {n}", "author": "ana"} for n in range(31)],
        )

    app = open_application(queue)

    assert "**Thread** · 32" in said(app)
    assert "2 older ones are not shown." in said(app)


def test_other_applications_of_the_account_are_listed_with_their_end(queue: Desk) -> None:
    reject_elsewhere(queue)
    with queue.engine.begin() as conn:
        add_application(conn, 8, account_id=SHORT)

    app = open_application(queue, 8)

    assert "**Other applications of this account** · 1" in said(app)
    label = app.button(key=f"other-{SHORT}").label
    assert "rejected by ben" in label.replace("\\", "")
    assert "Below the minimums" in label

    app.button(key=f"other-{SHORT}").click().run()

    assert app.query_params == {"id": str(SHORT)}
    assert "Reason: Below the minimums" in said(app)


def test_an_account_with_one_application_lists_no_others(queue: Desk) -> None:
    app = open_application(queue)

    assert not any("Other applications" in words for words in said(app))


def test_the_page_asks_as_much_of_the_database_however_much_there_is(
    queue: Desk, statements: list[str]
) -> None:
    open_application(queue)
    asked = []
    for more in range(2):
        statements.clear()
        open_application(queue)
        asked.append(len(statements))
        with queue.engine.begin() as conn:
            for n in range(20):
                id_ = 100 + 20 * more + n
                add_application(conn, id_)
                add_application(conn, id_ + 1000, account_id=MET, status="withdrawn")
                add_evidence(conn, MET, observed_at=queue.now - timedelta(days=n + 1))
                conn.execute(
                    insert(tables.notes).values(application_id=MET, body="a note", author="ana")
                )
    assert asked[0] == asked[1] > 0


def test_signed_out_meanwhile_nothing_is_written(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_application(queue)
    monkeypatch.setattr(sign_in, "signed_in_address", lambda: None)
    with queue.engine.begin() as conn:
        conn.execute(text("update review.staff set active = false"))

    note(app, "Too late")

    assert rows_of(queue, "review.notes") == 0
    assert not app.button
