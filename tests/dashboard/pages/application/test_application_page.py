"""One application: the known facts, and what each role may do."""

import json
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text
from streamlit.testing.v1 import AppTest

from dashboard.forms import submit
from dashboard.pages.application import evidence
from dashboard.pages.application.thread import ICONS
from dashboard.shell import sign_in
from dashboard.shell.screens import APPLICATION
from dashboard.ui import copying, figures
from dashboard.ui.safe_text import escape
from data_access.db import tables
from data_access.db.errors import DatabaseUnavailable
from data_access.db.partitions import ensure_months
from data_access.review import claims, notes
from data_access.rollups.refreshing import refresh
from program.periods import day_start
from program.policy.evidence import EvidenceKind
from program.review.permissions import Act, Role, may
from tests.builders import add_application, add_evidence, add_refresh, pass_checks, scalar
from tests.cases import first_of
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import (
    PEOPLE,
    Desk,
    cells,
    evidence_rows,
    open_popover,
    popovers,
    protos,
    texts,
)
from tests.data_access import clicks

ABSENT = 999


def open_application(desk: Desk, id_: int = MET, **query: str) -> AppTest:
    return desk.open(APPLICATION, id=str(id_), **query)


def decide_elsewhere(desk: Desk, id_: int = MET, **given: Any) -> None:
    """Approve as a colleague, outside this page."""
    with desk.engine.begin() as conn:
        pass_checks(conn, id_)
    given = {"rebate_rate": Decimal("0.25"), "rationale": "Known to us", **given}
    given = {"message": "Welcome aboard", "actor": clicks.BEN, "now": desk.now, **given}
    clicks.approve(desk.engine, id_, **given)


def reject_elsewhere(desk: Desk, id_: int = SHORT, **given: Any) -> None:
    """Reject as a colleague, outside this page."""
    clicks.reject(desk.engine, id_, **{"actor": clicks.BEN, "now": desk.now, **given})


def rows_of(desk: Desk, table: str) -> int:
    with desk.engine.connect() as conn:
        return int(scalar(conn, f"select count(*) from {table}"))


def lines(app: AppTest) -> dict[str, tuple[str, str, str]]:
    """Return each criterion of the scorecard: outcome, value and remark."""
    (scorecard,) = (words for words in texts(app, ["markdown"]) if "| criterion |" in words)
    rows = [row.strip("| ").split(" | ") for row in scorecard.splitlines() if "-badge[" in row]
    return {
        label: (badge.split(": ", 1)[1].rstrip("]"), value, remark)
        for badge, label, value, remark in rows
    }


# The applicant, and links from here.


def test_the_page_shows_the_applicant_and_the_contacts(queue: Desk) -> None:
    app = open_application(queue)

    assert "user1" in texts(app, ["subheader"])
    assert "Account 1 · BR · KYC verified · since 8 Feb 2025" in texts(app)
    assert {"@handle1", "contact1", "user1@example.com"} <= set(texts(app, ["text"]))
    assert [proto.body for proto in protos(app, "html")].count(copying.BUTTON) == 3
    (profile,) = protos(app, "link_button")
    assert profile.url == "https://x.com/handle1"


def test_missing_applicant_data_are_named_or_left_out(queue: Desk) -> None:
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

    assert "Account 9 · country unknown · KYC none · since 8 Feb 2025" in texts(app)
    assert "not a plain handle" in texts(app, ["text"])
    assert [proto.body for proto in protos(app, "html")].count(copying.BUTTON) == 1
    assert protos(app, "link_button") == []


@pytest.mark.parametrize(
    ("id_", "query", "place", "previous", "following"),
    first_of(
        (SHORT, {"sort": "submitted"}, "2 of 3", UNKNOWN, MET),
        (MET, {"sort": "waiting"}, "1 of 3", None, SHORT),
        (SHORT, {"sort": "waiting"}, "2 of 3", MET, UNKNOWN),
        (UNKNOWN, {"sort": "waiting"}, "3 of 3", SHORT, None),
        (MET, {"eligibility": "met,unknown"}, "1 of 2", None, UNKNOWN),
        (SHORT, {"eligibility": "met"}, None, None, MET),
    ),
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
    assert [words for words in texts(app, ["caption"]) if " of " in words[:6]] == (
        [place] if place else []
    )
    for key, neighbor in (("step-previous", previous), ("step-next", following)):
        assert app.button(key=key).disabled is (neighbor is None)
        if neighbor is not None:
            app.button(key=key).click().run()
            assert app.query_params == {**query, "id": str(neighbor)}
            assert f"user{neighbor}" in texts(app)
            app = open_application(queue, id_, **query)


def test_the_way_back_to_the_queue_keeps_the_filters(queue: Desk) -> None:
    app = open_application(queue, eligibility="met", sort="volume")

    (back,) = protos(app, "page_link")
    assert back.label == "Queue 1"
    assert back.query_string == "eligibility=met&sort=volume"


@pytest.mark.parametrize(
    ("id_", "sentence"),
    [
        (None, "The address does not name an application."),
        ("", "The address does not name an application."),
        ("abc", "The address does not name an application."),
        ("-1", "The address does not name an application."),
        ("1; drop table", "The address does not name an application."),
        ("²", "The address does not name an application."),
        ("1" * 40, "The address does not name an application."),
        (str(ABSENT), "There is no application 999."),
        ("0", "There is no application 0."),
    ],
)
def test_an_address_without_an_application_is_refused_calmly(
    id_: str | None, sentence: str, queue: Desk
) -> None:
    query = {"sort": "volume"} if id_ is None else {"sort": "volume", "id": id_}

    app = queue.open(APPLICATION, **query)

    assert sentence in texts(app)
    assert ":material/lock:" in texts(app)
    (way_on,) = protos(app, "page_link")
    assert (way_on.label, way_on.query_string) == ("Back to the queue", "sort=volume")
    assert not app.error
    assert not app.warning
    assert [button.label for button in app.button] == ["Help", "Sign out everywhere"]


# Eligibility.


def test_a_met_application_shows_its_margin(queue: Desk) -> None:
    app = open_application(queue)

    assert lines(app) == {
        "Referral volume, USD": ("met", "31.2 M of 20 M", "+56 %"),
        "Active users": ("met", "44 of 15", "+193 %"),
        "New users": ("met", "9 of 5", "+80 %"),
        "Followers on X": ("unknown", "– of > 5,000", "no evidence"),
        "Volume on other exchanges, USD": ("unknown", "– of 20 M", "no evidence"),
    }
    assert ":green-badge[:material/check: met · on-exchange]" in texts(app)


def test_falling_short_shows_what_is_missing(queue: Desk) -> None:
    app = open_application(queue, SHORT)

    assert lines(app) == {
        "Referral volume, USD": ("not met", "19.9 M of 20 M", "−<0.1 % · 0.01 USD short"),
        "Active users": ("not met", "14 of 15", "−7 % · 1 user short"),
        "New users": ("not met", "4 of 5", "−20 % · 1 user short"),
        "Followers on X": ("not met", "4,000 of > 5,000", "−20 % · 1,001 followers short"),
        "Volume on other exchanges, USD": (
            "not met",
            "12.3 M of 20 M",
            "−38 % · 7.65 M USD short",
        ),
    }


def test_unknown_and_failed_look_different(queue: Desk) -> None:
    failed = texts(open_application(queue, SHORT), ["markdown"])
    unknown = texts(open_application(queue, UNKNOWN), ["markdown"])

    assert ":orange-badge[:material/remove: not met]" in failed
    assert not any(":gray-badge" in words and "unknown" in words for words in failed)
    assert ":gray-badge[:material/question_mark: unknown]" in unknown


def test_the_window_is_named_with_its_zone(queue: Desk) -> None:
    """For a past year, the year is shown as well."""
    with queue.engine.begin() as conn:
        add_refresh(conn, through=date(2025, 3, 14), at=queue.now)

    assert "13 Feb – 14 Mar 2025, UTC" in texts(open_application(queue))


def test_an_account_without_metrics_yet_is_unknown_never_zero(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            text("update exchange.accounts set first_seen_at = now() where account_id = 3")
        )

    app = open_application(queue, UNKNOWN)

    assert lines(app)["Referral volume, USD"] == ("unknown", "– of 20 M", "metrics not loaded")
    assert texts(app).count("Metrics are not loaded for this account yet.") == 2
    assert not any("No referral activity" in words for words in texts(app))
    assert not any("No referred user" in words for words in texts(app))


def test_an_account_without_referrals_is_known_to_have_none(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)

    assert lines(app)["Active users"] == ("not met", "0 of 15", "−100 % · 15 users short")
    assert "No referral activity in the last twelve months." in texts(app)
    assert "No referred user of this account traded in the window." in texts(app)


@pytest.mark.parametrize(("days_behind", "provisional"), [(0, False), (1, True)])
def test_on_old_metrics_eligibility_is_provisional(
    days_behind: int, provisional: bool, desk: Desk
) -> None:
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday - timedelta(days=days_behind), at=desk.now)
        add_application(conn, MET)
    app = open_application(desk)

    badges = [words for words in texts(app, ["markdown"]) if "provisional" in words]
    warnings = texts(app, ["warning"])
    assert len(badges) == (2 if provisional else 0)
    assert any("eligibility is provisional" in words for words in warnings) is provisional
    assert len(warnings) == (1 if provisional else 0)


def test_metrics_never_computed_are_reported_as_unknown(desk: Desk) -> None:
    with desk.engine.begin() as conn:
        add_application(conn, MET)

    app = open_application(desk)

    assert texts(app, ["warning"])[0].startswith("Metrics have never been computed")
    assert {outcome for outcome, *_ in lines(app).values()} == {"unknown"}
    assert not any("No referral activity" in words for words in texts(app))
    assert not any("No referred user" in words for words in texts(app))


# Trend of referrals.


@pytest.fixture
def trading(queue: Desk) -> Desk:
    """Add two referred users: 3 M USD on the last day, 1 M on the day before; one is new."""
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


def test_the_chart_has_a_text_alternative_and_follows_the_choice(trading: Desk) -> None:
    app = open_application(trading)
    last = trading.yesterday
    day = f"{last.day} {last:%b %Y}"

    (chart,) = protos(app, "plotly_chart")
    assert "Gaps are days that were not delivered; they are unknown." in texts(app)
    drawn = json.loads(chart.spec)["data"][0]["y"]
    assert sum(value is not None for value in drawn) == 2
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
    assert cells(app, "volume") == [3_000_000, 1_000_000]
    assert cells(app, "share") == [75, 25]
    assert cells(app, "since")[1] is None
    assert any(words.endswith(", UTC · 2 of 2 active") for words in texts(app))


# Roles.


@pytest.mark.parametrize("role", Role)
def test_a_role_sees_the_forms_it_may_send(role: Role, queue: Desk) -> None:
    queue.who = PEOPLE[role]

    app = open_application(queue)

    offered = {button.label for button in app.button}
    offered |= {popover.label for popover in popovers(app)}
    for label, act in (
        ("Approve", Act.DECIDE),
        ("Add note", Act.WRITE_NOTE),
        ("Record followers", Act.RECORD_EVIDENCE),
        ("Pass", Act.ANSWER_CHECK),
        ("Claim", Act.CLAIM),
        ("Claim next", Act.CLAIM),
        ("Conflict of interest…", Act.DECLARE_CONFLICT),
        ("Assign to…", Act.ASSIGN),
    ):
        assert (label in offered) is may(role, act), label
    waits = f"Waiting for a reviewer. Your role, {role}, does not decide."
    assert (waits in texts(app)) is not may(role, Act.DECIDE)


def test_a_form_keeps_its_request_id_until_it_was_accepted(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[uuid.UUID] = []
    write = notes.write

    def lost(engine: Engine, command: notes.WriteNote) -> int:
        sent.append(command.request_id)
        result = write(engine, command)
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
    assert texts(app).count("Spoke on Telegram") == 1


# Past decisions.


def test_an_approved_application_shows_the_decision_and_no_form(queue: Desk) -> None:
    decide_elsewhere(queue)

    app = open_application(queue)

    assert "Rebate 25 % of net fees" in texts(app)
    assert {"Known to us", "Welcome aboard"} <= set(texts(app, ["text"]))
    last = queue.yesterday
    assert f"Eligibility then met, on data through {last.day} {last:%b %Y}:" in texts(app)
    assert ":green-badge[:material/check_circle: approved]" in texts(app)
    assert not {"Approve", "Claim"} & {button.label for button in app.button}
    assert not any("pending" in words for words in texts(app, ["markdown"]))


def test_a_rejected_application_shows_the_reason_in_words(queue: Desk) -> None:
    reject_elsewhere(queue)

    app = open_application(queue, SHORT)

    assert "Reason: Below the minimums" in texts(app)
    assert ":gray-badge[:material/block: rejected]" in texts(app)
    made = [words for words in texts(app, ["caption"]) if "policy version 1" in words]
    assert [words.partition(" · ")[0] for words in made] == ["Ben"]


def test_a_withdrawn_application_shows_that_nothing_was_decided_here(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    app = open_application(queue)

    assert ":gray-badge[:material/undo: withdrawn]" in texts(app)
    assert "Recorded upstream; there is no decision here." in texts(app)
    assert "Approve" not in {button.label for button in app.button}


def test_notes_and_evidence_stay_open_after_a_decision(queue: Desk) -> None:
    decide_elsewhere(queue)
    app = open_application(queue)

    note(app, "Called back")

    assert "Called back" in texts(app)


# Notes and evidence.


def field(app: AppTest, kind: str, prefix: str) -> Any:
    """Return the widget whose key begins with ``prefix``; a form's keys end with its request id."""
    (found,) = (w for w in getattr(app, kind) if (w.key or "").startswith(prefix))
    return found


def note(app: AppTest, body: str, id_: int = MET) -> None:
    field(app, "text_area", f"note-{id_}-body").input(body)
    field(app, "button", f"note-{id_}-send").click().run()


def record(
    app: AppTest, value: str, kind: str = "x_followers", id_: int = UNKNOWN, **parts: str
) -> None:
    form = f"evidence-{kind}-{id_}"
    open_popover(app, dict(evidence.RECORDING)[EvidenceKind(kind)])
    field(app, "text_input", f"{form}-value").input(value)
    for part, typed in parts.items():
        field(app, "text_input", f"{form}-{part}").input(typed)
    field(app, "button", f"{form}-send").click().run()


def test_the_browser_is_made_ready_for_notices_once_a_session(queue: Desk) -> None:
    app = open_application(queue)
    assert [toast.value for toast in app.toast] == [submit.EMPTY]
    assert [toast.icon for toast in app.toast] == [""]

    assert not app.run().toast


def test_a_note_joins_the_thread_and_empties_its_form(queue: Desk) -> None:
    app = open_application(queue)
    assert "**Thread** · 1" in texts(app)

    note(app, "Spoke on **Telegram**\nwill call back")

    assert [toast.value for toast in app.toast] == [r"Note added\."]
    assert "Spoke on **Telegram**\nwill call back" in texts(app, ["text"])
    assert "**Thread** · 2" in texts(app)
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
def test_a_refused_note_shows_why_and_keeps_the_text(body: str, sentence: str, queue: Desk) -> None:
    app = open_application(queue)

    note(app, body)

    assert sentence in texts(app, ["error"])[0]
    assert field(app, "text_area", f"note-{MET}-body").value == body
    assert rows_of(queue, "review.notes") == 0


def test_a_name_that_may_be_a_recorded_exchange_must_be_confirmed_and_text_is_kept(
    queue: Desk,
) -> None:
    app = open_application(queue, UNKNOWN)
    record(app, "12000000", "external_volume", exchange="OKX")
    record(app, "12000000", "external_volume", exchange="OKX Global", source="https://okx.com/me")

    assert "Say whether OKX Global is the same" in texts(app, ["error"])[0]
    form = "evidence-external_volume-3"
    assert field(app, "text_input", f"{form}-source").value == "https://okx.com/me"
    which = field(app, "radio", f"{form}-which")
    assert (which.label, which.value) == ("Is OKX Global the same as OKX?", None)
    assert which.options == ["Yes, OKX", "No, another exchange"]

    which.set_value("")
    field(app, "button", f"{form}-send").click().run()

    assert texts(app, ["error"]) == []
    assert [toast.value for toast in app.toast] == [r"Evidence recorded\."]
    assert states_of(app) == ["✓ counts", "✓ counts"]
    assert not [radio for radio in app.radio if (radio.key or "").startswith(form)]


def test_recorded_followers_count_at_once(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)
    assert "No external evidence is recorded yet." in texts(app)

    record(app, " 5001 ", source="https://x.com/handle3")

    assert [toast.value for toast in app.toast] == [r"Evidence recorded\."]
    assert lines(app)["Followers on X"] == ("met", "5,001 of > 5,000", "+<0.1 %")
    assert ":green-badge[:material/check: met · external]" in texts(app)
    [[what, how_it_stands, _, how]] = evidence_rows(app)
    assert what == "**5,001 followers on X**"
    assert how_it_stands == "✓ counts, for 92 d more"
    assert how.startswith("Profile page · ")
    assert "Ana" in how
    assert how.endswith(" · https://x.com/handle3")
    assert not app.text_input, "The form is closed."
    open_popover(app, "Record followers")
    assert field(app, "text_input", "evidence-x_followers-3-value").value == ""


def test_volumes_on_other_exchanges_add_up(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)

    record(app, "12000000.50", "external_volume", exchange="ExA")
    record(app, "8000000", "external_volume", exchange="ExB")

    assert lines(app)["Volume on other exchanges, USD"][:2] == ("met", "20 M of 20 M")
    assert states_of(app) == ["✓ counts", "✓ counts"]


REFUSED: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("x_followers", "", {}, "Write the value as a plain number"),
    ("x_followers", "5k", {}, "Write the value as a plain number"),
    ("x_followers", "-1", {}, "zero or more"),
    ("x_followers", "NaN", {}, "Write the value as a plain number"),
    ("x_followers", "5_200", {}, "Write the value as a plain number"),
    ("x_followers", "5200.5", {}, "“5200.5” is not a whole number; write it without decimals"),
    ("x_followers", "5.200", {}, "“5.200” is not a whole number; write it without decimals"),
    ("x_followers", "1.234,50", {}, "has a decimal comma; write `1234.50`"),
    ("x_followers", "１２", {}, "has digits other than 0 to 9; write it with those"),
    ("x_followers", "٣", {}, "has digits other than 0 to 9; write it with those"),
    ("x_followers", "9" * 18, {}, "at most 10,000,000,000"),
    ("x_followers", "9" * 30, {}, "is too large"),
    ("x_followers", "5200", {"source": "javascript:alert(1)"}, "not a web address"),
    ("external_volume", "20000000", {}, "Enter the exchange"),
    ("external_volume", "1.005", {"exchange": "ExA"}, "at most two decimals"),
    ("external_volume", "20.000", {"exchange": "ExA"}, "at most two decimals"),
    (
        "external_volume",
        "5,000",
        {"exchange": "ExA"},
        "has a thousands separator; write `5000`",
    ),
    ("external_volume", "0,25", {"exchange": "ExA"}, "has a decimal comma; write `0.25`"),
    ("external_volume", "1e3", {"exchange": "ExA"}, "Write the value as a plain number"),
)


@pytest.mark.parametrize("wanted", ["x_followers", "external_volume"])
def test_evidence_that_cannot_be_taken_is_refused_and_kept(wanted: str, queue: Desk) -> None:
    """One form is corrected again and again."""
    app = open_application(queue, UNKNOWN)
    refused = [given for kind, *given in REFUSED if kind == wanted]
    for value, parts, sentence in refused:
        record(app, value, wanted, **parts)

        assert sentence in texts(app, ["error"])[0].replace("\\", "").replace("\u2060", "")
        assert field(app, "text_input", f"evidence-{wanted}-3-value").value == value
        for part, typed in parts.items():
            assert field(app, "text_input", f"evidence-{wanted}-3-{part}").value == typed
    assert rows_of(queue, "review.evidence") == 2


def test_older_and_expired_evidence_stays_and_is_marked(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        for value, days in ((7000, 1), (6000, 5), (5500, 95)):
            add_evidence(conn, UNKNOWN, value=value, observed_at=queue.now - timedelta(days=days))

    app = open_application(queue, UNKNOWN)

    assert "**Evidence** · 3" in texts(app)
    assert states_of(app) == ["✓ counts", "superseded", "expired"]


def test_separators_that_mean_one_number_only_are_taken(queue: Desk) -> None:
    app = open_application(queue, UNKNOWN)
    for kind, typed, value in (
        ("x_followers", "5,200", 5_200),
        ("x_followers", "1 234 567", 1_234_567),
        ("external_volume", "5,000,000", 5_000_000),
        ("external_volume", "5,000.50", Decimal("5000.50")),
    ):
        record(app, typed, kind, **({"exchange": "ExA"} if kind == "external_volume" else {}))

        assert texts(app, ["error"]) == [], typed
        with queue.engine.connect() as conn:
            newest = "select value from review.evidence order by evidence_id desc limit 1"
            assert scalar(conn, newest) == value, typed


def states_of(app: AppTest) -> list[str]:
    return [row[1].partition(",")[0] for row in evidence_rows(app)]


# Thread.


def thread(app: AppTest) -> list[str]:
    """Return the titles of the thread's entries, from the top."""
    kinds = tuple(f"{icon} " for icon in set(ICONS.values()))
    lines = [words for words in texts(app, ["caption"]) if words.startswith(kinds)]
    plain = [words.replace("\\", "").replace("\u2060", "") for words in lines]
    return [words.split(" · ")[0].split(" ", 1)[1] for words in plain]


def chat(desk: Desk, id_: int = SHORT) -> None:
    """Add a note, a check, a question, its answer and a rejection, an hour apart."""
    ago = {n: desk.now - timedelta(hours=n) for n in range(1, 6)}
    clicks.note(desk.engine, id_, now=ago[5], body="First **look**")
    clicks.check(desk.engine, id_, now=ago[4], comment="as the profile says")
    clicks.ask_applicant(desk.engine, id_, now=ago[3], actor=clicks.BEN)
    clicks.record_answer(desk.engine, id_, now=ago[2], actor=clicks.BEN)
    reject_elsewhere(desk, id_, now=ago[1])


def test_the_thread_lists_everything_newest_first(queue: Desk) -> None:
    chat(queue)

    app = open_application(queue, SHORT)

    assert sorted(thread(app)[:2]) == ["message to the applicant", "rejected"]
    assert thread(app)[2:6] == [
        *(
            "the applicant's answer",
            "asked for information",
            "check “Jurisdiction allowed”: passed",
            "note",
        )
    ]
    assert sorted(thread(app)[6:]) == [
        "evidence: 12,345,678.90 USD on another exchange",
        "evidence: 4,000 followers on X",
        "submitted",
    ]
    assert {"First **look**", "as the profile says"} <= set(texts(app, ["text"]))


def test_each_line_shows_who_can_read_it(queue: Desk) -> None:
    chat(queue)

    found = texts(open_application(queue, SHORT), ["caption"])

    marks = {
        "note": ":orange-background[internal]",
        "asked for information": ":blue-background[sent to the applicant]",
        "message to the applicant": ":blue-background[sent to the applicant]",
        "the applicant's answer": ":green-background[received from the applicant]",
        "check “Jurisdiction allowed”: passed": None,
    }
    for title, mark in marks.items():
        (line,) = [words for words in found if f": {escape(title)} · " in words]
        assert (f" · {mark} · " in line) if mark else ("background" not in line)


def test_one_kind_is_shown_alone_and_kept_in_the_address(queue: Desk) -> None:
    chat(queue)
    app, before = open_application(queue, SHORT), None
    for kind, titles in {
        "notes": ["note"],
        "checks": ["check “Jurisdiction allowed”: passed"],
        "messages": ["message to the applicant", "the applicant's answer", "asked for information"],
        "decisions": ["rejected"],
        "events": ["submitted"],
    }.items():
        app.button_group(key=f"thread-filter-{before}").set_value(kind).run()

        assert app.query_params == {"id": str(SHORT), "thread": kind}
        assert thread(app) == titles
        before = kind

    again = open_application(queue, SHORT, thread=kind)
    assert thread(again) == titles
    again.button_group(key=f"thread-filter-{kind}").set_value(None).run()
    assert again.query_params == {"id": str(SHORT)}
    assert len(thread(again)) == 9


def test_the_filter_counts_and_an_unknown_kind_filters_nothing(queue: Desk) -> None:
    chat(queue)

    app = open_application(queue, SHORT, thread="gossip")

    (pills,) = [proto for proto in protos(app, "button_group") if proto.label == "Show only"]
    assert [option.content for option in pills.options] == [
        *("notes 1", "evidence 2", "checks 1", "messages 3", "decisions 1", "events 1"),
    ]
    assert len(thread(app)) == 9


def test_older_lines_of_a_long_thread_are_shown_on_request(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            insert(tables.notes),
            [{"application_id": MET, "body": f"note {n}", "author": "ana"} for n in range(31)],
        )

    app = open_application(queue)

    assert "**Thread** · 32" in texts(app)
    assert len(thread(app)) == 30
    assert app.button(key="thread-older").label == "Show 2 older"
    app.button(key="thread-older").click().run()
    assert len(thread(app)) == 32
    assert not [button for button in app.button if button.key == "thread-older"]


# Connections.


def test_other_applications_of_the_account_are_listed_with_their_end(queue: Desk) -> None:
    reject_elsewhere(queue)
    with queue.engine.begin() as conn:
        add_application(conn, 8, account_id=SHORT, submitted_at=queue.now - timedelta(hours=1))

    app = open_application(queue, 8)

    assert "**Other applications of this account** · 1" in texts(app)
    label = app.button(key=f"other-{SHORT}").label
    submitted = figures.day((queue.now - timedelta(days=4, minutes=1)).date(), year=True)
    decided = figures.day(queue.now.date(), year=True)
    assert label.endswith(f"rejected] :gray[· {decided} · submitted {submitted}]")
    (more,) = [words for words in texts(app, ["caption"]) if words.startswith("Below the minimums")]
    assert "by Ben" in more
    assert "@" not in more

    app.button(key=f"other-{SHORT}").click().run()

    assert app.query_params == {"id": str(SHORT)}
    assert "Reason: Below the minimums" in texts(app)


@pytest.mark.parametrize(
    ("reapply", "days_after", "sentence"),
    [
        ("after_30_days", 29, "This application arrived before {day}, when"),
        ("after_30_days", 30, None),
        ("at_once", 0, None),
        ("never", 200, "An earlier decision says that this account may not apply again."),
    ],
)
def test_an_application_submitted_too_early_is_marked(
    reapply: str, days_after: int, sentence: str | None, queue: Desk
) -> None:
    decided = queue.now - timedelta(days=300)
    with queue.engine.begin() as conn:
        conn.execute(
            text("update exchange.applications set submitted_at = :at where application_id = :id"),
            {"at": decided - timedelta(days=3), "id": SHORT},
        )
    reject_elsewhere(queue, now=decided, reapply=reapply)
    arrived = decided + timedelta(days=days_after)
    with queue.engine.begin() as conn:
        add_application(conn, 8, account_id=SHORT, submitted_at=arrived)

    warnings = texts(open_application(queue, 8), ["warning"])

    opens = (decided + timedelta(days=30)).date()
    expected = sentence and sentence.format(day=f"{opens.day} {opens:%b %Y}")
    assert [words for words in warnings if "appl" in words and "igib" not in words] == (
        [words for words in warnings if words.startswith(expected)] if expected else []
    )
    assert bool(expected) is any(words.startswith(str(expected)) for words in warnings)


def test_an_earlier_application_is_not_too_early_for_a_later_decision(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_application(
            conn,
            8,
            account_id=SHORT,
            status="withdrawn",
            submitted_at=queue.now - timedelta(days=9),
        )
    reject_elsewhere(queue, reapply="never")

    app = open_application(queue, 8)

    assert "may never apply again" in " ".join(texts(app, ["caption"]))
    assert not any("may not apply again" in words for words in texts(app, ["warning"]))


def test_others_under_the_same_name_are_shown_with_how_they_match(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_application(conn, 8, social_handle="HANDLE1", contact_handle="x" * 9)
        add_application(conn, 9, social_handle="hand1e1", contact_handle="CONTACT1")
        add_application(conn, 10, social_handle="somebody_else")

    app = open_application(queue)

    assert "**Other accounts with this handle or contact** · 2" in texts(app)
    labels = {key: app.button(key=f"other-{key}").label for key in (8, 9)}
    assert "same handle" in labels[8]
    assert "handle looks alike, same contact" in labels[9]
    assert "pending" in labels[9]
    assert "other-10" not in {button.key for button in app.button}


def test_an_account_with_one_application_lists_no_others(queue: Desk) -> None:
    app = open_application(queue)

    assert not any("Other applications" in words for words in texts(app))


def test_the_page_runs_a_fixed_number_of_queries(queue: Desk, statements: list[str]) -> None:
    open_application(queue)
    counts = []
    for more in range(2):
        statements.clear()
        open_application(queue)
        counts.append(len(statements))
        with queue.engine.begin() as conn:
            for n in range(20):
                id_ = 100 + 20 * more + n
                add_application(conn, id_)
                add_application(conn, id_ + 1000, account_id=MET, status="withdrawn")
                add_evidence(conn, MET, observed_at=queue.now - timedelta(days=n + 1))
                conn.execute(
                    insert(tables.notes).values(application_id=MET, body="a note", author="ana")
                )
    assert counts[0] == counts[1] > 0


def test_signed_out_meanwhile_nothing_is_written(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_application(queue)
    monkeypatch.setattr(sign_in, "session_key", lambda: None)
    with queue.engine.begin() as conn:
        conn.execute(text("update review.staff set active = false"))

    note(app, "Too late")

    assert rows_of(queue, "review.notes") == 0
    assert not app.button


# Contacts.


@pytest.mark.parametrize("role", Role)
def test_contacts_are_shown_only_to_those_who_need_them(queue: Desk, role: Role) -> None:
    queue.who = PEOPLE[role]

    app = open_application(queue)

    copied = texts(app, ["text"])
    may_see = may(role, Act.SEE_CONTACT)
    assert ("user1@example.com" in copied) is may_see
    hidden = f"Email and contact are hidden from your role, {role}."
    assert (hidden in texts(app, ["caption"])) is not may_see


def test_what_cannot_be_recorded_is_not_shown(queue: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("The database is not responding.")

    monkeypatch.setattr(claims, "stay", refused)

    app = open_application(queue)

    assert lines(app)
    assert "user1@example.com" not in texts(app, ["text"])
