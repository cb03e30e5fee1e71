"""The outbox page: undeliverable messages, acts on them, templates and settings."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import OUTBOX, PROGRAM
from data_access.db import tables
from data_access.messages import settings, templates
from program.messages.delivery import MessageKind
from program.review.permissions import Act, Role, may
from tests.builders import add_application
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, texts
from tests.data_access import clicks
from tests.data_access.messages.test_leases import work

TRICKY = "*a* :red[b] <i>c</i>"


@pytest.fixture
def outbox(desk: Desk) -> Desk:
    desk.who = PEOPLE[Role.MANAGER]
    with desk.engine.begin() as conn:
        add_application(conn, 7, account={"username": TRICKY})
    return desk


def write(desk: Desk, *, parked: str | None = None, **given: Any) -> uuid.UUID:
    made: dict[str, Any] = {
        "message_id": uuid.uuid4(),
        "application_id": 7,
        "channel": "email",
        "recipient": "user7@example.com",
        "payload": {"kind": "approved", "message": "Welcome."},
        "created_at": desk.now - timedelta(minutes=5),
        "next_attempt_at": desk.now,
        **given,
    }
    if parked:
        stopped = {"stopped_as": "parked", "stopped_at": desk.now, "attempts": 3}
        made = {**made, **stopped, "last_reason": parked, "last_error": f"said {TRICKY}"}
    with desk.engine.begin() as conn:
        conn.execute(insert(tables.outbox).values(made))
    return uuid.UUID(str(made["message_id"]))


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (one for one in app.button if one.label == label)
    return button.click().run()


def field(app: AppTest, label: str) -> Any:
    (found,) = (one for one in [*app.text_input, *app.text_area] if one.label == label)
    return found


def states(desk: Desk) -> list[tuple[str | None, str, str | None]]:
    with desk.engine.connect() as conn:
        return [
            tuple(row)
            for row in conn.execute(
                text("select stopped_as, channel, recipient from review.outbox order by created_at")
            )
        ]


@pytest.mark.parametrize("role", Role)
def test_the_page_needs_permission_to_manage_the_outbox(role: Role, outbox: Desk) -> None:
    outbox.who = PEOPLE[role]

    assert ("Outbox" in texts(outbox.open(OUTBOX))) is may(role, Act.KEEP_OUTBOX)


def test_an_empty_backlog_is_reported(outbox: Desk) -> None:
    for part, words in (
        ("parked", "No messages are undeliverable"),
        ("withheld", "No messages are withheld"),
        ("waiting", "No messages are waiting"),
        ("sent", "Nothing was sent yet"),
    ):
        assert any(words in one for one in texts(outbox.open(OUTBOX, show=part)))


def test_the_backlog_is_shown_and_a_late_one_prominently(outbox: Desk) -> None:
    write(outbox)
    write(outbox, created_at=outbox.now - timedelta(hours=3), attempts=2, last_error=TRICKY)
    write(outbox, parked="busy")

    app = outbox.open(OUTBOX, show="waiting")

    assert [one.value for one in app.metric] == ["2", "3 h", "1", "1"]
    assert any("has waited for over an hour" in one.value for one in app.warning)
    assert cells(app, "state") == [f"2 tries failed, again now: {TRICKY}", "not tried yet"]
    assert cells(app, "applicant") == [TRICKY, TRICKY]


def test_parked_messages_are_listed_by_reason_and_retried_together(outbox: Desk) -> None:
    for reason in ("busy", "busy", "bad_contact"):
        write(outbox, parked=reason)

    app = outbox.open(OUTBOX, reason="busy")
    assert len([one for one in app.expander if "approval" in one.label]) == 2
    assert (
        sum("**The receiver was busy or failed** · 2 undeliverable" in one for one in texts(app))
        == 1
    )
    assert "said *a* :red[b] <i>c</i>" in texts(app, ["text"])
    app = press(app, "Retry all 2 of “the receiver was busy or failed”")

    assert sorted(str(one[0]) for one in states(outbox)) == ["None", "None", "parked"]
    assert [one.value for one in app.toast] == ["2 queued for delivery again\\."]


@pytest.mark.parametrize(("reason", "leads"), [("busy", "primary"), ("bad_contact", "secondary")])
def test_retrying_all_leads_only_where_it_is_the_way_on(
    outbox: Desk, reason: str, leads: str
) -> None:
    write(outbox, parked=reason)

    app = outbox.open(OUTBOX, reason=reason)

    (button,) = (one for one in app.button if one.label.startswith("Retry it"))
    assert button.proto.type == leads


def test_a_recipient_is_corrected_and_a_wrong_one_keeps_what_was_typed(outbox: Desk) -> None:
    write(outbox, parked="bad_contact", recipient="nobody")
    app = outbox.open(OUTBOX)

    field(app, "Recipient").set_value("still nobody")
    app = press(app, "Correct and send")
    assert "is not an email address" in app.error[0].value.replace("\\", "")
    # Errors appear at the open message, which stays open.
    assert [len(box.error) for box in app.expander if "approval" in box.label] == [1]
    assert field(app, "Recipient").value == "still nobody"
    field(app, "Recipient").set_value("right@example.com")
    press(app, "Correct and send")

    assert states(outbox) == [
        ("replaced", "email", "nobody"),
        (None, "email", "right@example.com"),
    ]


def test_a_message_is_cancelled_with_a_reason_only(outbox: Desk) -> None:
    write(outbox, parked="refused")
    app = press(outbox.open(OUTBOX), "Cancel message")
    assert "reason is empty" in app.error[0].value

    field(app, "Reason for canceling (internal)").set_value("Told by telephone")
    press(app, "Cancel message")

    assert states(outbox)[0][0] == "cancelled"


def test_a_template_is_previewed_with_an_application_checked_and_saved(outbox: Desk) -> None:
    app = outbox.open(OUTBOX, show="templates")
    field(app, "Preview with application").set_value("7")
    field(app, "Text").set_value("Dear {{username}},\n\n{{mesage}}")
    app.run()
    assert "There is no placeholder {{mesage}}" in app.error[0].value.replace("\\", "")

    field(app, "Text").set_value("Dear {{username}},\n\n{{message}}")
    app.run()
    shown = texts(app, ["text"])
    assert f"Dear {TRICKY},\n\nThe colleague's text appears here." in shown
    press(app, "Save version 2")

    with outbox.engine.connect() as conn:
        newest = templates.history(conn, MessageKind.APPROVED, "en")[0]
    assert (newest.template.body, newest.author) == (
        *("Dear {{username}},\n\n{{message}}", outbox.who),
    )


def test_settings_are_saved_as_a_version_and_silent_mode_is_shown(outbox: Desk) -> None:
    templates.save(
        outbox.engine,
        clicks.command(
            templates.SaveTemplate,
            kind=MessageKind.APPROVED,
            language="pt",
            subject="Bem-vindo",
            body="{{message}}",
            shown_version=0,
            actor=outbox.who,
            now=outbox.now,
        ),
    )
    app = outbox.open(OUTBOX, show="settings")
    app.toggle[0].set_value(True)
    field(app, "Language by country, one per line").set_value("br: pt\nMX es")
    app = press(app, "Save version 2")
    assert "on a line each" in app.error[0].value
    field(app, "Language by country, one per line").set_value("br: pt\n\nMX: pt-BR")
    app = press(app, "Save version 2")
    assert any("asks to stop all messages" in one.value for one in app.warning)
    assert not [one for one in app.button if one.label.startswith("Confirm: silence")]
    outbox.who = PEOPLE[Role.ADMIN]
    app = press(outbox.open(OUTBOX, show="settings"), "Confirm: stop all messages")

    assert any("Silent mode is on" in one.value for one in app.info)
    with outbox.engine.connect() as conn:
        kept = settings.in_force(conn)
    assert (kept.silent, kept.language_by_country) == (True, {"BR": "pt", "MX": "pt-BR"})


def settle(desk: Desk, version: int, **given: Any) -> None:
    """Put settings into force as two people."""
    values: dict[str, Any] = {
        "version": version,
        "silent": False,
        "send_rejections": True,
        "email_instead": [],
        "language_by_country": {},
        "author": PEOPLE[Role.ADMIN],
        "note": "",
        "saved_at": desk.now,
        **given,
    }
    with desk.engine.begin() as conn:
        conn.execute(insert(tables.delivery_settings).values(values))


def template(desk: Desk, language: str, body: str, *, shown: int, kind: Any = None) -> None:
    templates.save(
        desk.engine,
        clicks.command(
            templates.SaveTemplate,
            kind=kind or MessageKind.APPROVED,
            language=language,
            subject="About you",
            body=body,
            shown_version=shown,
            actor=desk.who,
            now=desk.now,
        ),
    )


WITHHELD = {"stopped_as": "withheld"}
BY_POLICY = {
    "channel": "backend",
    "recipient": "exchange",
    "payload": {"kind": "affiliate_suspended", "withheld_message": "Your rebate is suspended."},
}


@pytest.mark.parametrize(
    ("given", "gets", "shown"),
    [
        ({}, "by email, to user7@example.com", f"Dear {TRICKY},\n\nWelcome."),
        # A message withheld by a silent policy goes to the applicant, not to the exchange.
        (BY_POLICY, "by telegram, to contact7", "Your rebate is suspended."),
    ],
)
def test_a_withheld_message_is_shown_as_it_leaves_and_sent_once_the_settings_allow_it(
    outbox: Desk, given: dict[str, Any], gets: str, shown: str
) -> None:
    template(outbox, "en", "Dear {{username}},\n\n{{message}}", shown=1)
    settle(outbox, 2, silent=True)
    write(outbox, stopped_at=outbox.now, **WITHHELD, **given)

    app = outbox.open(OUTBOX, show="withheld")
    plain = [line.replace("\\", "").replace("\u2060", "") for line in texts(app, ["caption"])]
    assert f"The applicant gets, {gets}:" in plain
    assert "It is withheld, because silent mode is on." in plain
    assert shown in texts(app, ["text"])
    app = press(app, "Send after all")
    assert "It would be withheld again, because silent mode is on" in app.toast[0].value
    assert [one[0] for one in states(outbox)] == ["withheld"]

    settle(outbox, 3)
    app = press(outbox.open(OUTBOX, show="withheld"), "Send after all")
    assert [one.value for one in app.toast] == ["Queued for delivery again\\."]
    (sent,) = work(outbox.engine, now=datetime.now(UTC)).taken
    assert sent.text == shown
    assert gets.endswith(f"to {sent.to}")


def test_a_withheld_message_without_text_cannot_be_sent_and_says_so(outbox: Desk) -> None:
    write(outbox, stopped_at=outbox.now, payload={"kind": "approved"}, **WITHHELD)

    app = outbox.open(OUTBOX, show="withheld")

    assert "No text was saved with this message, so it cannot be sent." in texts(app)
    (button,) = (one for one in app.button if one.label == "Send after all")
    assert button.disabled


def test_confirming_fewer_messages_shows_all_settings_that_would_be_in_force(outbox: Desk) -> None:
    template(outbox, "pt", "{{message}}", shown=0, kind=MessageKind.OTHER)
    settle(outbox, 2, silent=True)
    app = outbox.open(OUTBOX, show="settings")
    app.toggle[1].set_value(False)
    field(app, "Language by country, one per line").set_value("BR: pt")
    press(app, "Save version 3")

    outbox.who = PEOPLE[Role.ADMIN]
    app = outbox.open(OUTBOX, show="settings")

    # Messages are off already; the additional change is named.
    assert [one.label for one in app.button if "Confirm" in one.label] == [
        "Confirm: stop rejection messages"
    ]
    assert "It would be: no messages are sent, and no rejections afterwards; BR in pt." in texts(
        app, ["text"]
    )


def test_a_language_without_templates_is_refused_or_names_what_is_missing(outbox: Desk) -> None:
    def saved(typed: str) -> AppTest:
        app = outbox.open(OUTBOX, show="settings")
        field(app, "Language by country, one per line").set_value(typed)
        (button,) = (one for one in app.button if one.label.startswith("Save version"))
        return button.click().run()

    for typed, refusal in (
        ("PL: eo", "There is no template in eo, so PL would get English"),
        ("BR: pt\nbr: es", "BR has two languages"),
        ("BR: Portuguese", "as codes, such as BR: pt"),
    ):
        (error,) = saved(typed).error
        assert refusal in error.value.replace("\\", "").replace("\u2060", "")
        with outbox.engine.connect() as conn:
            assert settings.in_force(conn).language_by_country == {}

    template(outbox, "pt", "{{message}}", shown=0)
    (warning,) = saved("BR: pt").warning
    assert "No template in pt for: rejection, question to the applicant" in warning.value
    template(outbox, "pt", "{{message}}", shown=0, kind=MessageKind.OTHER)
    assert not outbox.open(OUTBOX, show="settings").warning


def test_a_new_language_starts_with_the_text_that_is_sent_so_far(outbox: Desk) -> None:
    template(outbox, "pt", "Olá\n\n{{message}}", shown=0)

    def started(language: str) -> tuple[str, str, str]:
        app = outbox.open(OUTBOX, show="templates")
        # The testing library only accepts listed options.
        states, box = app._tree.get_widget_states(), app.selectbox(key="template-language")
        (typed,) = (one for one in states.widgets if one.id == box.id)
        typed.string_value = language
        app._run(states)
        (calls,) = (one for one in texts(app, ["caption"]) if one.startswith("This language"))
        return field(app, "Subject").value, field(app, "Text").value, calls

    assert started("pt-BR") == (
        *("About you", "Olá\n\n{{message}}"),
        "This language has no version yet; the pt template for approval is used.",
    )
    assert started("es")[1:] == (
        "{{message}}",
        "This language has no version yet; the English template for approval is used.",
    )


def test_the_program_pages_line_reads_the_backlog(outbox: Desk) -> None:
    write(outbox, created_at=outbox.now - timedelta(hours=2))
    write(outbox, parked="busy")

    (line,) = (w for w in outbox.open(PROGRAM).warning if "message to applicants" in w.value)
    assert line.value.startswith("1 message to applicants waits, the oldest for 2 h.")
    assert "1 undeliverable. Messages are not being delivered." in line.value


def reads(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.engine.connect() as conn:
        found = conn.execute(text("select email, list from review.contact_reads"))
        return [tuple(row) for row in found]


def everything(app: AppTest) -> str:
    """Return whatever the page has sent to the browser, as one text."""
    fields = [one.value for one in [*app.text_input, *app.text_area]]
    labels = [one.label for one in app.expander]
    tables_to = [frame.value["to"].tolist() for frame in app.dataframe]
    return str([*texts(app), *fields, *labels, *tables_to])


@pytest.mark.parametrize("part", ["parked", "waiting", "sent"])
@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_recipients_are_shown_to_those_who_need_contacts_and_that_is_recorded(
    outbox: Desk, role: Role, part: str
) -> None:
    delivered = {"delivered_at": outbox.now} if part == "sent" else {}
    write(outbox, parked="refused" if part == "parked" else None, **delivered)
    outbox.who = PEOPLE[role]

    shown = everything(outbox.open(OUTBOX, show=part))

    may_see = may(role, Act.SEE_CONTACT)
    assert ("user7@example.com" in shown) is may_see
    assert ("email hidden" in shown) is not may_see
    assert reads(outbox) == ([(PEOPLE[role], "outbox")] if may_see else [])


def test_a_version_whose_note_is_its_words_says_them_once(outbox: Desk) -> None:
    words = texts(outbox.open(OUTBOX, show="settings"))

    assert words.count("All messages are sent") == 1
