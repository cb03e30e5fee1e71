"""The staff page: for managers and administrators, within what their role may manage."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import STAFF
from data_access.people import leave, roster, staff_changes
from data_access.people.roster import Member
from data_access.people.staff_changes import Bind
from program.review.permissions import Act, Role, may
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, press_row, protos, texts

BEN = "ben@example.com"


@pytest.fixture
def staff_desk(desk: Desk) -> Desk:
    desk.who = PEOPLE[Role.ADMIN]
    return desk


def members(desk: Desk) -> dict[str, Member]:
    with desk.engine.connect() as conn:
        return {one.email: one for one in roster.listed(conn, now=desk.now)}


def fill(app: AppTest, form: str, part: str, value: Any) -> None:
    (field,) = (
        one
        for one in [*app.text_input, *app.selectbox, *app.date_input]
        if str(one.key).startswith(f"{form}-{part}-")
    )
    field.set_value(value)


def send(app: AppTest, label: str) -> AppTest:
    (button,) = (one for one in app.button if one.label == label)
    return button.click().run()


@pytest.mark.parametrize("role", Role)
def test_the_page_is_for_those_who_manage_staff(role: Role, desk: Desk) -> None:
    desk.who = PEOPLE[role]

    words = texts(desk.open(STAFF))

    assert any(said.startswith(f"Your role, {role}, may not manage staff.") for said in words) is (
        not may(role, Act.MANAGE_STAFF)
    )


def test_a_person_is_added_opened_and_disabled(staff_desk: Desk) -> None:
    app = staff_desk.open(STAFF)
    fill(app, "staff-new", "email", "Nia@Example.com")
    fill(app, "staff-new", "name", "Nia")
    fill(app, "staff-new", "reason", "Joins the team")
    app = send(app, "Add")
    assert not app.error
    assert members(staff_desk)["nia@example.com"].role is Role.REVIEWER
    app = press_row(app, cells(app, "email").index("nia@example.com"))

    fill(app, "staff-access-nia@example.com", "reason", "Left")
    app = send(app, "Disable")

    (log,) = (one for one in protos(app, "page_link") if one.label == "Activity log")
    assert log.query_string == "dataset=log&actor=nia%40example.com"
    assert members(staff_desk)["nia@example.com"].state == "disabled"
    assert any("disabled Nia: Left" in said for said in texts(app, ["text"]))


def test_a_role_is_changed_and_a_leave_is_set(staff_desk: Desk) -> None:
    app = staff_desk.open(STAFF, person=BEN)
    fill(app, f"staff-role-{BEN}", "role", Role.MANAGER)
    fill(app, f"staff-role-{BEN}", "reason", "Promoted")
    app = send(app, "Change role")
    today = staff_desk.now.date()
    fill(app, f"staff-leave-{BEN}", "first", today)
    fill(app, f"staff-leave-{BEN}", "last", today + timedelta(days=3))
    fill(app, f"staff-leave-{BEN}", "reason", "Holidays")
    app = send(app, "Set leave")

    found = members(staff_desk)[BEN]
    assert (found.role, found.state) == (Role.MANAGER, "on leave")
    with staff_desk.engine.connect() as conn:
        (away,) = leave.listed(conn, email=BEN, since=today)
    fill(app, f"staff-leave-{away.leave_id}", "reason", "Came back")
    app = send(app, "Remove")
    assert members(staff_desk)[BEN].state == "active"


def test_the_account_of_a_sign_in_is_shown_and_released(staff_desk: Desk) -> None:
    def shown() -> tuple[AppTest, list[str]]:
        app = staff_desk.open(STAFF, person=BEN)
        return app, [said.replace("\u2060", "").replace("\\", "") for said in texts(app)]

    assert "Their first sign-in with this address binds it to that account." in shown()[1]
    bind = Bind(
        email=BEN,
        issuer="https://id.example.com",
        subject="<b>1042</b>",
        actor=staff_desk.who,
        reason="Ticket 7",
        at=staff_desk.now,
        request_id=uuid4(),
    )
    staff_changes.bind(staff_desk.engine, bind)
    app, words = shown()
    assert "Signs in at https://id.example.com as <b>1042</b>." in words
    assert any("bound the sign-in of Ben (https://id" in said for said in words)

    fill(app, f"staff-sign-in-{BEN}", "reason", "New account")
    send(app, "Release sign-in")

    assert members(staff_desk)[BEN].issuer is None
    app, words = shown()
    assert "Release sign-in" not in [button.label for button in app.button]


def test_a_manager_may_change_no_manager_and_no_administrator(desk: Desk) -> None:
    desk.who = PEOPLE[Role.MANAGER]
    app = desk.open(STAFF)
    (roles,) = app.selectbox
    assert roles.options == ["reviewer", "analyst"]

    app = desk.open(STAFF, person=PEOPLE[Role.ADMIN])
    assert [
        button.label for button in app.button if button.label in ("Disable", "Change role")
    ] == []
    assert "Only an administrator may change their access." in texts(app)


def test_nobody_sees_forms_for_their_own_access(staff_desk: Desk) -> None:
    app = staff_desk.open(STAFF, person=staff_desk.who)

    assert not [button for button in app.button if button.label in ("Disable", "Change role")]
    assert any("Nobody changes their own access" in said for said in texts(app))


def test_a_refusal_is_shown_beside_the_form_and_keeps_the_text(staff_desk: Desk) -> None:
    app = staff_desk.open(STAFF)
    fill(app, "staff-new", "email", BEN)
    fill(app, "staff-new", "name", "Ben")
    fill(app, "staff-new", "reason", "Again")

    app = send(app, "Add")

    assert "on the staff list already" in app.error[0].value.replace("\\", "")
    assert [one.value for one in app.text_input] == [BEN, "Ben", "Again"]
