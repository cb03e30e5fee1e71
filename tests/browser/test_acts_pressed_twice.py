"""A second press acts once, and never on what the first press brought under the pointer.

The first press redraws the page: Release where Claim was, the next entry of a list where one was
settled. The second press of a slow double click falls on that.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert, text

from data_access.db import tables
from data_access.eligibility import policies
from data_access.explore import saved_views
from data_access.messages import settings
from data_access.policy import drafts as policy_drafts
from data_access.policy import holiday_changes, withdrawals
from data_access.policy.holiday_changes import ChangeHoliday, ChangeKind
from program.policy.drafts import Draft
from program.review.permissions import Act
from program.review.queue_filters import Filters
from tests.browser import screen
from tests.browser.conftest import Site, Visit
from tests.builders import add_policy, rewriting
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, MIRA, command

pytestmark = [pytest.mark.browser]

LEO = "leo@example.com"
A_SLOW_DOUBLE_CLICK_MS = 450
PATIENCE_S = 20
PAUSES_MS = (100, 300, 450, 600, 900, 1500)
# All stored traces of an act, by name.
WRITTEN = """
select act, count(*) from review.requests group by act
union all select 'template', count(*) from review.message_templates
union all select 'settings', count(*) from review.delivery_settings
union all select 'proposal', count(*) + count(closed_at) from review.delivery_proposals
union all select 'view', count(*) from review.saved_views
union all select 'holiday', count(*) from review.holiday_changes
union all select 'policy', count(*) from review.policy_events
union all select 'staff', count(*) from review.staff_events
union all select 'message', count(*) from review.outbox
union all select 'stopped', count(stopped_as) from review.outbox
"""

# Tables that these tests empty.
EMPTIED = ("review.saved_views", "review.holidays", "review.affiliate_standings")
# A click has been sent once the browser has painted twice.
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def now() -> datetime:
    return datetime.now(UTC)


def written(site: Site) -> Counter[str]:
    return Counter(dict(site.rows(WRITTEN)))


def difference(site: Site, before: Counter[str]) -> dict[str, int]:
    after = written(site)
    after.subtract(before)
    return {what: number for what, number in after.items() if number}


def in_the_end(site: Site, before: Counter[str], expected: dict[str, int]) -> dict[str, int]:
    """Return what was written; a bulk act continues after its page was drawn."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := difference(site, before)) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def key(name: str) -> Callable[[Page, int], Locator]:
    """Return the button with this key; ``{n}`` is the application's number."""
    return lambda page, n: page.locator(f".st-key-{name.format(n=n)} button").first


def named(name: str, *, within: str = "body") -> Callable[[Page, int], Locator]:
    return lambda page, n: page.locator(within.format(n=n)).get_by_role(
        "button", name=name, exact=True
    )


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """A button: who presses it, its preparation, and what one press writes."""

    who: str = "ana"
    meets: bool = False
    at: str = "/application?id={n}"
    before: Callable[[Site, int], object] = lambda site, n: None
    reach: Callable[[Page, int], object] = lambda page, n: None
    button: Callable[[Page, int], Locator]
    writes: dict[str, int]


def does(verb: Callable[..., object], **given: Any) -> Callable[[Site, int], object]:
    return lambda site, n: verb(site.engine, n, **{"now": now(), **given})


def fills(label: str, words: str, *, opens: str = "") -> Callable[[Page, int], None]:
    def fill(page: Page, n: int) -> None:
        if opens:
            opened(page, opens)
        field = page.get_by_label(label).first
        field.fill(words)
        field.blur()
        screen.settled(page)

    return fill


def opened(page: Page, words: str) -> None:
    """Open the popover or expander with this label."""
    openers = page.locator("[data-testid=stPopover] button, summary").filter(has_text=words)
    openers.first.click()


def parks(site: Site, n: int, number: int = 1) -> None:
    made = {
        "application_id": n,
        "channel": "email",
        "recipient": "somebody@example.com",
        "payload": {"kind": "approved", "message": "Welcome."},
        "stopped_as": "parked",
        "attempts": 3,
        "last_reason": "refused",
        "last_error": "550",
    }
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.outbox where stopped_as = 'parked'"))
        for _ in range(number):
            at = {"created_at": now(), "next_attempt_at": now(), "stopped_at": now()}
            connection.execute(insert(tables.outbox).values(message_id=uuid4(), **made, **at))


def drafts(site: Site, n: int, *, by: str = MIRA, proposed: bool = True) -> None:
    """Add a policy draft that no other draft builds on."""
    empty_policies(site)
    with site.engine.connect() as connection:
        base = policies.newest(connection)
    policy = replace(base, min_new_users=base.min_new_users + 1)
    draft = Draft(policy=policy, note="More growth", base_version=base.version)
    who = {"actor": by, "now": now()}
    policy_drafts.save(site.engine, command(policy_drafts.SaveDraft, draft=draft, **who))
    if proposed:
        with site.engine.connect() as connection:
            kept = policy_drafts.own(connection, by)
        assert kept is not None
        one = {"draft_id": kept.draft_id, "revision": kept.revision}
        policy_drafts.propose(site.engine, command(policy_drafts.ProposeDraft, **one, **who))


def schedules(site: Site, n: int, *, withdrawn_by: str = "") -> None:
    """Add a version that takes effect in a month; ``withdrawn_by`` proposes to withdraw it."""
    empty_policies(site)
    with site.engine.connect() as connection:
        base = policies.newest(connection)
    month_later = (now() + timedelta(days=30)).replace(hour=0, minute=0, second=0, microsecond=0)
    coming = replace(
        base, version=base.version + 1, effective_from=month_later, author=ANA, note="Later"
    )
    with site.engine.begin() as connection:
        add_policy(connection, coming)
    if withdrawn_by:
        given = {"version": coming.version, "reason": "Too early", "actor": withdrawn_by}
        withdrawals.propose(site.engine, command(withdrawals.ProposeWithdrawal, **given, now=now()))


def empty_policies(site: Site) -> None:
    with site.engine.begin() as connection, rewriting(connection, "policy_events", "policies"):
        for statement in (
            "delete from review.policy_events",
            "delete from review.policy_drafts",
            "delete from review.policy_withdrawals",
            "delete from review.policies where version > 1 and (author = 'ana@example.com' "
            "or version > (select max(policy_version) from review.decisions))",
        ):
            connection.execute(text(statement))


def silences(by: str) -> Callable[[Site, int], None]:
    def propose(site: Site, n: int) -> None:
        unsilence(site)
        with site.engine.connect() as connection:
            version = settings.in_force(connection).version
        request = command(
            settings.SaveSettings,
            silent=True,
            send_rejections=True,
            email_instead=[],
            language_by_country={},
            note="",
            shown_version=version,
            actor=by,
            now=now(),
            ask=True,
        )
        settings.save(site.engine, request)

    return propose


def unsilence(site: Site) -> None:
    with site.engine.begin() as connection, rewriting(connection, "delivery_settings"):
        connection.execute(text("delete from review.delivery_proposals"))
        connection.execute(text("delete from review.delivery_settings where version > 1"))


def keeps_views(site: Site, n: int) -> None:
    """Save three views of ana's; when one is removed, another takes its place."""
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.saved_views"))
    for name in ("First", "Second", "Third"):
        view = {"name": name, "view": Filters(search=name), "shared": False}
        saved_views.save(site.engine, command(saved_views.SaveView, **view, now=now()))


def holidays(site: Site, n: int) -> None:
    """Make two future days the only holidays."""
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.holidays"))
    for days in (40, 41):
        given = {
            "kind": ChangeKind.ADDED,
            "day": now().date() + timedelta(days=days),
            "name": f"In {days} days",
            "reason": "The office is closed",
            "actor": MIRA,
        }
        holiday_changes.change(site.engine, command(ChangeHoliday, **given, now=now()))


def colleague(n: int) -> str:
    return f"colleague{n}@example.com"


def hires(site: Site, n: int, *, leave: bool = False) -> None:
    """Add a reviewer who has signed in once; with ``leave``, one who is away tomorrow."""
    person = (
        "insert into review.staff (email, display_name, role, issuer, subject) "
        "values (:e, 'Colleague', 'reviewer', 'https://id.example', :e)"
    )
    away = "insert into review.leave (email, first_day, last_day) values (:e, :d, :d)"
    with site.engine.begin() as connection:
        connection.execute(text(person), {"e": colleague(n)})
        if leave:
            tomorrow = now().date() + timedelta(days=1)
            connection.execute(text(away), {"e": colleague(n), "d": tomorrow})


def gives_reason(form: int) -> Callable[[Page, int], None]:
    """Fill the reason of a person's form: 0 role, 1 access, 2 sign-in, 3 leave."""

    def fill(page: Page, n: int) -> None:
        if form == 0:
            screen.choose(page, "Role", "analyst")
        # Their script comes late, and what is below them moves.
        days = page.locator("[data-testid=stDateInput] input")
        expect(days).not_to_have_count(0)
        for field in days.all() if form == 3 else ():
            field.fill((now().date() + timedelta(days=9)).isoformat())
            field.press("Tab")
        reason = page.get_by_label("Reason").nth(form)
        reason.fill("As agreed")
        reason.blur()
        screen.settled(page)

    return fill


def fills_popover_reason(page: Page, n: int) -> None:
    expect(page.locator("[data-testid=stDateInput] input")).not_to_have_count(0)
    page.get_by_role("button", name=re.compile("^Leave ")).first.click()
    reason = page.locator("[data-testid=stPopoverBody]").get_by_label("Reason")
    reason.fill("Came back")
    reason.blur()
    screen.settled(page)


def adds_person(page: Page, n: int) -> None:
    page.get_by_label("Email address").fill(colleague(n))
    page.get_by_label("Name", exact=True).fill("Colleague")
    fills("Reason", "Joins the team")(page, n)


def removes_first_holiday(page: Page, n: int) -> None:
    page.get_by_role("button", name="Remove", exact=True).first.click()
    reason = page.locator("[data-testid=stPopoverBody]").get_by_label("Reason")
    reason.fill("Entered by mistake")
    reason.blur()


def types_past_holiday(page: Page, n: int) -> None:
    day = page.locator("[data-testid=stDateInput] input").first
    day.fill((now().date() - timedelta(days=n % 300 + 1)).isoformat())
    day.press("Tab")
    page.get_by_label("Name", exact=True).first.fill("A day that was")
    fills("Reason", "Forgotten")(page, n)


def asks_past_holiday(page: Page, n: int) -> None:
    types_past_holiday(page, n)
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".st-key-holiday-confirm button").wait_for()


def begins_suspending(page: Page, n: int) -> None:
    """Open the board's dialog for the first affiliate, and fill it in."""
    screen.column(page, "Affiliate").first.wait_for(state="attached")
    screen.tick_row(page, 0)
    page.locator(".st-key-affiliates-suspended button").click()
    page.get_by_role("dialog").wait_for()
    page.get_by_role("combobox", name="Reason").click()
    page.get_by_role("option").last.click()
    fills("Explanation", "Three months in a row")(page, n)


def suspends(page: Page, n: int) -> None:
    begins_suspending(page, n)
    page.locator(".st-key-affiliates-go-on button").first.click()


def unsuspends(site: Site, n: int) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.affiliate_standings"))


def rejects(page: Page, n: int) -> None:
    screen.begin(page, "Reject", "Below the minimums")
    screen.preview(page)


def has_rejected(page: Page, n: int) -> None:
    rejects(page, n)
    screen.preview_sends(page).click()
    page.locator(".st-key-undo-bar button").wait_for()


def records_followers(page: Page, n: int) -> None:
    opened(page, "Followers")
    page.get_by_label("Followers on X").fill("5200")
    fills("Source, a web address", "https://x.com/somebody")(page, n)


POLICY = {Act.EDIT_POLICY.name: 1, "policy": 1}
CLAIM, OUTBOX = ({act.name: 1} for act in (Act.CLAIM, Act.KEEP_OUTBOX))
PARKED = "/outbox?show=parked"
STAFF = {Act.MANAGE_STAFF.name: 1, "staff": 1}
LEAVE = {Act.KEEP_LEAVE.name: 1, "staff": 1}
PERSON = "/staff?person=colleague{n}@example.com"
BUTTONS: dict[str, Pressed] = {
    "claim": Pressed(button=key("Claim-{n}"), writes=CLAIM),
    "release": Pressed(before=does(clicks.claim), button=key("Release-{n}"), writes=CLAIM),
    "take over": Pressed(
        before=does(clicks.claim, actor=BEN), button=key("Take-over-{n}"), writes=CLAIM
    ),
    "assign": Pressed(
        who="mira",
        reach=lambda page, n: opened(page, "Assign to"),
        button=key("assign-0-{n}"),
        writes={Act.ASSIGN.name: 1},
    ),
    "note": Pressed(
        reach=fills("Internal note", "Spoke on Telegram"),
        button=named("Add note"),
        writes={Act.WRITE_NOTE.name: 1},
    ),
    "pass a check": Pressed(
        button=key("check-pass-jurisdiction-{n}"), writes={Act.ANSWER_CHECK.name: 1}
    ),
    "answer a check": Pressed(
        reach=lambda page, n: page.locator(f".st-key-check-open-jurisdiction-{n} button").click(),
        button=key("check-jurisdiction-passed-{n}"),
        writes={Act.ANSWER_CHECK.name: 1},
    ),
    "pass all": Pressed(
        reach=lambda page, n: page.locator(f".st-key-choose-a-{n} button").first.click(),
        button=key("pass-open-{n}"),
        writes={Act.ANSWER_CHECK.name: 1},
    ),
    "evidence": Pressed(
        reach=records_followers,
        button=lambda page, n: page.get_by_role("button", name="Record", exact=True).first,
        writes={Act.RECORD_EVIDENCE.name: 1},
    ),
    "send": Pressed(
        reach=rejects, button=key("send-{n}"), writes={Act.DECIDE.name: 1, "message": 1, **CLAIM}
    ),
    "undo": Pressed(
        reach=has_rejected, button=key("undo-bar"), writes={Act.UNDO.name: 1, "stopped": 1}
    ),
    "go on to suspend": Pressed(
        who="mira",
        at="/affiliates",
        before=unsuspends,
        reach=begins_suspending,
        button=key("affiliates-go-on"),
        writes={},
    ),
    "suspend": Pressed(
        who="mira",
        at="/affiliates",
        before=unsuspends,
        reach=suspends,
        button=key("affiliates-confirm"),
        # Silent by policy, so its message is withheld.
        writes={Act.REQUALIFY.name: 1, "message": 1, "stopped": 1},
    ),
    "remove a view": Pressed(
        at="/",
        before=keeps_views,
        reach=lambda page, n: page.locator(".st-key-queue-views button").first.click(),
        button=lambda page, n: page.locator("[class*='st-key-view-remove-'] button").first,
        writes={Act.SAVE_VIEW.name: 1, "view": -1},
    ),
    "conflict": Pressed(
        reach=fills("Link to the applicant", "A friend", opens="Conflict of interest"),
        button=key("declare-{n}"),
        writes={Act.DECLARE_CONFLICT.name: 1},
    ),
    "record an answer": Pressed(
        before=does(clicks.ask_applicant),
        reach=fills("The applicant's answer", "Here it is"),
        button=named("Record the answer"),
        writes={Act.RECORD_ANSWER.name: 1},
    ),
    "stop waiting": Pressed(
        before=does(clicks.ask_applicant),
        reach=fills("The applicant's answer", "No reply"),
        button=named("Stop waiting"),
        writes={Act.RECORD_ANSWER.name: 1},
    ),
    "bring back": Pressed(
        before=lambda site, n: clicks.defer(
            site.engine, n, now=now(), until=now().date() + timedelta(days=8)
        ),
        button=key("bring-back-{n}"),
        writes={Act.DEFER.name: 1},
    ),
    "reopen": Pressed(
        who="mira",
        before=does(clicks.reject),
        reach=fills("Reason for reopening", "Wrong account", opens="Reopen"),
        button=key("reopen-{n}"),
        writes={Act.REOPEN.name: 1},
    ),
    "confirm a proposal": Pressed(
        meets=True,
        who="mira",
        before=does(clicks.ask_second, draft=clicks.rejection()),
        button=key("confirm-{n}"),
        writes={Act.APPROVE_SECOND.name: 1, "message": 1},
    ),
    "decline a proposal": Pressed(
        meets=True,
        who="mira",
        before=does(clicks.ask_second, draft=clicks.rejection()),
        reach=fills("Reason for declining", "Not shown"),
        button=key("decline-{n}"),
        writes={Act.APPROVE_SECOND.name: 1},
    ),
    "cancel a proposal": Pressed(
        meets=True,
        before=does(clicks.ask_second, draft=clicks.rejection()),
        reach=fills("Reason for declining", "Thought again"),
        button=key("cancel-{n}"),
        writes={Act.DECIDE.name: 1},
    ),
    "retry a message": Pressed(
        who="mira",
        at=PARKED,
        before=lambda site, n: parks(site, n, 3),
        reach=lambda page, n: page.locator("summary").first.click(),
        button=lambda page, n: page.get_by_role("button", name="Retry", exact=True).first,
        writes={**OUTBOX, "stopped": -1},
    ),
    "correct a message": Pressed(
        who="mira",
        at=PARKED,
        before=lambda site, n: parks(site, n, 3),
        reach=lambda page, n: (
            page.locator("summary").first.click(),
            fills("Recipient", "other@example.com")(page, n),
        ),
        button=lambda page, n: page.get_by_role("button", name="Correct and send").first,
        writes={**OUTBOX, "message": 1},
    ),
    "cancel a message": Pressed(
        who="mira",
        at=PARKED,
        before=lambda site, n: parks(site, n, 3),
        reach=lambda page, n: (
            page.locator("summary").first.click(),
            fills("Reason for canceling", "Told by phone")(page, n),
        ),
        button=lambda page, n: page.get_by_role("button", name="Cancel message").first,
        writes=OUTBOX,
    ),
    "retry all": Pressed(
        who="mira",
        at=PARKED,
        before=lambda site, n: parks(site, n, 3),
        button=key("outbox-retry-all"),
        writes={Act.KEEP_OUTBOX.name: 3, "stopped": -3},
    ),
    "delivery settings": Pressed(
        who="mira",
        at="/outbox?show=settings",
        before=lambda site, n: unsilence(site),
        reach=fills("Reason, for colleagues", "A change"),
        button=lambda page, n: page.get_by_role("button", name=re.compile("Save version")),
        writes=OUTBOX | {"settings": 1},
    ),
    "propose silence": Pressed(
        who="mira",
        at="/outbox?show=settings",
        before=lambda site, n: unsilence(site),
        reach=lambda page, n: (
            page.get_by_text("Silent mode: send no messages").click(),
            screen.settled(page),
        ),
        button=lambda page, n: page.get_by_role("button", name=re.compile("Save version")),
        writes=OUTBOX | {"proposal": 1},
    ),
    "confirm silence": Pressed(
        who="mira",
        at="/outbox?show=settings",
        before=silences("ada@example.com"),
        button=key("silencing-confirm"),
        writes=OUTBOX | {"proposal": 1, "settings": 1},
    ),
    "decline silence": Pressed(
        who="mira",
        at="/outbox?show=settings",
        before=silences("ada@example.com"),
        button=key("silencing-decline"),
        writes=OUTBOX | {"proposal": 1},
    ),
    "template": Pressed(
        who="mira",
        at="/outbox?show=templates",
        reach=lambda page, n: fills("Subject", f"About application {n} {uuid4()}")(page, n),
        button=lambda page, n: page.get_by_role("button", name=re.compile("Save version")),
        writes=OUTBOX | {"template": 1},
    ),
    "propose a policy": Pressed(
        who="mira",
        at="/policy?part=draft",
        before=lambda site, n: drafts(site, n, proposed=False),
        button=named("Propose for publishing"),
        writes=POLICY,
    ),
    "discard a policy": Pressed(
        who="mira",
        at="/policy?part=draft",
        before=lambda site, n: drafts(site, n, proposed=False),
        button=named("Discard"),
        writes=POLICY,
    ),
    "take a policy back": Pressed(
        who="mira",
        at="/policy?part=draft",
        before=drafts,
        button=named("Take back"),
        writes=POLICY,
    ),
    "publish a policy": Pressed(
        who="mira",
        at="/policy?part=draft",
        before=lambda site, n: drafts(site, n, by=LEO),
        button=lambda page, n: page.get_by_role("button", name=re.compile("Publish as version")),
        writes=POLICY,
    ),
    "give a policy back": Pressed(
        who="mira",
        at="/policy?part=draft",
        before=lambda site, n: drafts(site, n, by=LEO),
        reach=fills("Reason", "Too strict", opens="Decline"),
        button=named("Return to author"),
        writes=POLICY,
    ),
    "propose a withdrawal": Pressed(
        who="mira",
        at="/policy",
        before=schedules,
        reach=fills("Reason", "Too early", opens="Withdraw version"),
        button=named("Propose the withdrawal"),
        writes=POLICY,
    ),
    "withdraw a policy": Pressed(
        who="mira",
        at="/policy",
        before=lambda site, n: schedules(site, n, withdrawn_by=LEO),
        button=lambda page, n: page.get_by_role("button", name=re.compile("Withdraw version")),
        writes=POLICY,
    ),
    "leave a policy scheduled": Pressed(
        who="mira",
        at="/policy",
        before=lambda site, n: schedules(site, n, withdrawn_by=LEO),
        reach=fills("Reason", "It is right", opens="Keep it scheduled"),
        button=lambda page, n: page.get_by_role("button", name="Keep it scheduled").last,
        writes=POLICY,
    ),
    "ask for a past holiday": Pressed(
        who="mira",
        at="/settings",
        before=holidays,
        reach=types_past_holiday,
        button=named("Add"),
        writes={},
    ),
    "confirm a past holiday": Pressed(
        who="mira",
        at="/settings",
        before=holidays,
        reach=asks_past_holiday,
        button=key("holiday-confirm"),
        writes={Act.KEEP_HOLIDAYS.name: 1, "holiday": 1},
    ),
    "remove a holiday": Pressed(
        who="mira",
        at="/settings",
        before=holidays,
        reach=removes_first_holiday,
        button=lambda page, n: page.locator(
            "[class*='st-key-holiday-removed-'][class*='-send'] button"
        ),
        writes={Act.KEEP_HOLIDAYS.name: 1, "holiday": 1},
    ),
    "add a person": Pressed(
        who="mira", at="/staff", reach=adds_person, button=named("Add"), writes=STAFF
    ),
    "change a role": Pressed(
        who="mira",
        at=PERSON,
        before=hires,
        reach=gives_reason(0),
        button=named("Change role"),
        writes=STAFF,
    ),
    "disable a person": Pressed(
        who="mira",
        at=PERSON,
        before=hires,
        reach=gives_reason(1),
        button=named("Disable"),
        writes=STAFF,
    ),
    "release a sign-in": Pressed(
        who="mira",
        at=PERSON,
        before=hires,
        reach=gives_reason(2),
        button=named("Release sign-in"),
        writes=STAFF,
    ),
    "set a leave": Pressed(
        who="mira",
        at=PERSON,
        before=hires,
        reach=gives_reason(3),
        button=named("Set leave"),
        writes=LEAVE,
    ),
    "remove a leave": Pressed(
        who="mira",
        at=PERSON,
        before=lambda site, n: hires(site, n, leave=True),
        reach=fills_popover_reason,
        button=lambda page, n: page.get_by_role("button", name="Remove", exact=True).last,
        writes=LEAVE,
    ),
}


@pytest.fixture
def as_it_was(site: Site) -> Iterator[None]:
    """Add a second manager who never signs in; restore the demo's rows afterwards."""
    second = "insert into review.staff values (:e, 'Leo', 'manager', true) on conflict do nothing"
    with site.engine.begin() as connection:
        connection.execute(text(second), {"e": LEO})
    kept = {name: site.one(f"select json_agg(t)::text from {name} t") for name in EMPTIED}
    yield
    empty_policies(site)
    unsilence(site)
    with site.engine.begin() as connection:
        connection.execute(text("delete from review.outbox where stopped_as = 'parked'"))
        for name, rows in kept.items():
            connection.execute(text(f"delete from {name}"))
            filled = f"select * from json_populate_recordset(null::{name}, :rows)"
            insert_rows = f"insert into {name} overriding system value {filled}"
            connection.execute(text(insert_rows), {"rows": rows or "[]"})


@pytest.mark.slow
def test_a_slow_double_click_on_claim_does_not_release(site: Site, visit: Visit) -> None:
    press_at_pauses(BUTTONS["claim"], site, visit, [A_SLOW_DOUBLE_CLICK_MS])


@pytest.mark.slow
@pytest.mark.usefixtures("as_it_was")
@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_pressed_twice_acts_once(button: str, site: Site, visit: Visit) -> None:
    press_at_pauses(BUTTONS[button], site, visit, PAUSES_MS)


def press_at_pauses(pressed: Pressed, site: Site, visit: Visit, pauses: Sequence[int]) -> None:
    page = visit(pressed.who)
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    wrong = {}
    for pause in pauses:
        number = site.applicant(meets=pressed.meets)
        pressed.before(site, number)
        page.goto(pressed.at.format(n=number))
        screen.answers_to_keys(page)
        screen.settled(page)
        pressed.reach(page, number)
        button = pressed.button(page, number)
        expect(button).to_be_visible()
        screen.settled(page)
        expect(button).not_to_have_attribute("data-arming", "")
        before = written(site)

        screen.press_twice(page, button, pause, between=sent.clear)

        page.evaluate(TWO_FRAMES)
        if sent:
            # The second press reached the server: it is processed once that has drawn a new page,
            # which would cut off what the first one still does, such as taking the next.
            screen.settled(page)
            page.reload()
        screen.settled(page)
        if (found := in_the_end(site, before, pressed.writes)) != pressed.writes:
            wrong[pause] = found
    assert wrong == {}
