"""The outbox page: what is stuck and why, what can be done about it, words and settings."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import OUTBOX
from data_access.db import tables
from data_access.messages import settings, templates
from program.messages.delivery import MessageKind
from program.review.permissions import Act, Role, may
from tests.builders import add_application
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, said

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
def test_it_is_for_those_who_keep_the_outbox(role: Role, outbox: Desk) -> None:
    outbox.who = PEOPLE[role]

    assert ("Outbox" in said(outbox.open(OUTBOX))) is may(role, Act.KEEP_OUTBOX)


def test_where_nothing_waits_it_says_so(outbox: Desk) -> None:
    for part, words in (
        ("parked", "No messages are undeliverable"),
        ("withheld", "No messages are withheld"),
        ("waiting", "No messages are waiting"),
        ("sent", "Nothing was sent yet"),
    ):
        assert any(words in one for one in said(outbox.open(OUTBOX, show=part)))


def test_the_backlog_is_told_and_a_late_one_loudly(outbox: Desk) -> None:
    write(outbox)
    write(outbox, created_at=outbox.now - timedelta(hours=3), attempts=2, last_error=TRICKY)
    write(outbox, parked="busy")

    app = outbox.open(OUTBOX, show="waiting")

    assert [one.value for one in app.metric] == ["2", "3 h", "1", "1"]
    assert any("has waited for over an hour" in one.value for one in app.warning)
    assert cells(app, "state") == [f"2 tries failed, again now: {TRICKY}", "not tried yet"]
    assert cells(app, "applicant") == [TRICKY, TRICKY]


def test_parked_messages_are_told_by_reason_and_retried_together(outbox: Desk) -> None:
    for reason in ("busy", "busy", "bad_contact"):
        write(outbox, parked=reason)

    app = outbox.open(OUTBOX, reason="busy")
    assert len([one for one in app.expander if "approval" in one.label]) == 2
    assert (
        sum("**The receiver was busy or failed** · 2 undeliverable" in one for one in said(app))
        == 1
    )
    assert "said *a* :red[b] <i>c</i>" in said(app, ["text"])
    app = press(app, "Retry all 2 of “the receiver was busy or failed”")

    assert sorted(str(one[0]) for one in states(outbox)) == ["None", "None", "parked"]
    assert [one.value for one in app.toast] == ["2 queued for delivery again\\."]


def test_a_recipient_is_corrected_and_a_wrong_one_keeps_what_was_typed(outbox: Desk) -> None:
    write(outbox, parked="bad_contact", recipient="nobody")
    app = outbox.open(OUTBOX)

    field(app, "Recipient").set_value("still nobody")
    app = press(app, "Correct and send")
    assert "is not an email address" in app.error[0].value.replace("\\", "")
    # Where the message is open, which so stays open.
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
    shown = said(app, ["text"])
    assert f"Dear {TRICKY},\n\nThe colleague's text appears here." in shown
    press(app, "Save version 2")

    with outbox.engine.connect() as conn:
        newest = templates.history(conn, MessageKind.APPROVED, "en")[0]
    assert (newest.template.body, newest.author) == (
        *("Dear {{username}},\n\n{{message}}", outbox.who),
    )


def test_settings_are_saved_as_a_version_and_silence_is_told(outbox: Desk) -> None:
    templates.save(
        outbox.engine,
        kind=MessageKind.APPROVED,
        language="pt",
        subject="Bem-vindo",
        body="{{message}}",
        shown_version=0,
        actor=outbox.who,
        now=outbox.now,
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


def test_the_program_pages_line_reads_the_backlog(
    outbox: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.pages.program import backlog
    from dashboard.ui import backlog as parts

    told: list[dict[str, Any]] = []
    monkeypatch.setattr(parts, "line", lambda **given: told.append(given))
    write(outbox, created_at=outbox.now - timedelta(hours=2))
    write(outbox, parked="busy")

    backlog.draw(outbox.now)

    (line,) = told
    assert (line["waiting"], line["parked"], line["is_late"]) == (1, 1, True)
