"""The weekly report by mail: set up by managers, made once a week, never twice."""

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import Invalid, NotAllowed, Outdated
from data_access.messages import staff_mails
from data_access.messages.channels.letters_as_mail import mail
from data_access.messages.channels.mailbox import SENDER
from data_access.messages.leases import Outgoing
from data_access.messages.worker import Worker
from data_access.reports import weekly_mails, weekly_settings
from data_access.reports.weekly_mails import LastSent
from data_access.reports.weekly_settings import SaveWeeklyMail
from program.messages.delivery import Reason, Route
from program.periods import Window
from program.reports.weekly import Schedule
from tests.builders import add_application, add_refresh, add_segment_sums, add_staff
from tests.data_access.messages.test_digests import Collecting, refuse, set_silent

MIRA, ADA, NOOR, BEN = (f"{name}@example.com" for name in ("mira", "ada", "noor", "ben"))
# Monday, 9 March 2026; the week before it began on the 2nd.
MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
SUNDAY = MONDAY - timedelta(days=1)
WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))
MONDAYS = Schedule(weekday=1, hour=8, zone="UTC")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def program(engine: Engine) -> Engine:
    """Two applications arrived in the week; its data reach Saturday, which has no trading."""
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn, through=date(2026, 3, 7), at=SUNDAY)
        for number in (1, 2):
            add_application(conn, number, submitted_at=SUNDAY - timedelta(days=number))
        add_segment_sums(
            conn,
            *(
                {
                    "dimension": "program",
                    "segment": "all",
                    "day": date(2026, 2, 23) + timedelta(days=day),
                    "affiliates": 1,
                    "volume_usd": "1000.50",
                    "fees_usd": 1,
                    "trade_count": 1,
                    "active_users": 4,
                    "new_users": 2,
                }
                for day in range(12)
            ),
        )
    return engine


def save(engine: Engine, *, shown: int = 0, at: datetime = SUNDAY, **given: Any) -> int:
    asked = {
        "is_on": True,
        "schedule": MONDAYS,
        "recipients": [MIRA, ADA],
        "actor": MIRA,
        "request_id": uuid4(),
    }
    return weekly_settings.save(
        engine, SaveWeeklyMail(**{**asked, **given}, shown_version=shown, at=at)
    )


def work(engine: Engine, now: datetime, answer: Callable[..., Any] | None = None) -> list[Outgoing]:
    channel = Collecting(answer=answer) if answer else Collecting()
    Worker(
        engine=engine,
        channels={Route.EMAIL: channel},
        clock=lambda: now,
        chance=lambda: 0.5,
        mails=[weekly_mails.mail(lambda: engine)],
    ).drain()
    return channel.taken


def last_sent(engine: Engine) -> LastSent:
    with engine.connect() as conn:
        last = weekly_mails.state(conn, None, MONDAY).last
    assert last is not None
    return last


def to(sent: list[Outgoing]) -> list[str]:
    return sorted(one.to for one in sent)


def test_each_recipient_gets_the_past_week_once(program: Engine) -> None:
    assert work(program, MONDAY) == []
    save(program)

    assert work(program, MONDAY - MINUTE) == []
    sent = work(program, MONDAY)
    assert to(sent) == [ADA, MIRA]
    assert work(program, MONDAY + MINUTE) == work(program, MONDAY + timedelta(days=6)) == []
    assert to(work(program, MONDAY + timedelta(days=7))) == [ADA, MIRA]

    (one, _) = sent
    assert one.subject == "Affiliate program, 2 Mar to 8 Mar 2026"
    assert "- Applications in: 2 (+2, from 0)" in one.text
    assert "Trading of 2 Mar to 7 Mar 2026, compared with 24 Feb to 1 Mar 2026" in one.text
    assert "- Program volume: 5 k USD; over the 5 delivered days of 6; change unknown" in one.text
    assert "Data through 7 Mar 2026, UTC. Made on 9 Mar 2026, 08:00 UTC." in one.text
    assert "due on" not in one.text
    assert "for the period From – to, 2026-03-02 to 2026-03-08." in one.text


def test_the_mail_has_both_parts_and_the_figures_as_a_file(program: Engine) -> None:
    save(program)
    (one, _) = work(program, MONDAY)

    made = mail(one, sender=SENDER, to=None)
    assert made.as_bytes() == mail(one, sender=SENDER, to=None).as_bytes()
    read = message_from_bytes(made.as_bytes(), policy=default)
    plain, page = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().splitlines() == one.text.splitlines()
    assert ">Applications in</td>" in page.get_content()
    (file,) = read.iter_attachments()
    assert file.get_filename() == "affiliate-program-2026-03-02-to-2026-03-08-utc.csv"
    content = file.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.startswith(BOM_UTF8)
    rows = {row["figure"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))}
    assert rows["volume"]["value"] == "5002.50"
    assert rows["approval_rate"]["value"] == ""
    assert rows["approval_rate"]["remark"] == "none"
    assert rows["submitted"]["value"] == "2"


def test_a_worker_that_was_away_sends_the_newest_report_once_and_says_it_is_late(
    program: Engine,
) -> None:
    save(program)
    late = MONDAY + timedelta(days=16)

    sent = work(program, late)
    assert to(sent) == [ADA, MIRA]
    assert sent[0].subject == "Affiliate program, 16 Mar to 22 Mar 2026"
    assert "Trading of this week is unknown: the data do not reach it yet." in sent[0].text
    assert "- Program volume: unknown; none of these days was delivered" in sent[0].text
    assert "it was due on 23 Mar 2026, 08:00 UTC." in sent[0].text
    assert work(program, late + MINUTE) == []


@pytest.mark.parametrize(("minutes", "says"), [(59, False), (60, True)])
def test_a_mail_that_is_made_an_hour_later_says_when_it_was_due(
    program: Engine, minutes: int, says: bool
) -> None:
    save(program)
    (one, _) = work(program, MONDAY + minutes * MINUTE)

    assert ("it was due on 9 Mar 2026, 08:00 UTC." in one.text) is says


def test_a_change_makes_no_week_go_twice_or_at_once(program: Engine) -> None:
    save(program, recipients=[MIRA])
    assert to(work(program, MONDAY)) == [MIRA]

    # Another recipient begins with the next; another day has the same week.
    save(program, shown=1, at=MONDAY + MINUTE)
    assert work(program, MONDAY + 2 * MINUTE) == []
    tuesdays = Schedule(weekday=2, hour=8, zone="UTC")
    save(program, shown=2, at=MONDAY + 3 * MINUTE, schedule=tuesdays)
    assert work(program, MONDAY + timedelta(days=1)) == []
    with program.connect() as conn:
        found = weekly_mails.state(
            conn, weekly_settings.in_force(conn), MONDAY + timedelta(minutes=4)
        )
    assert found.next_at == MONDAY + timedelta(days=8)
    assert to(work(program, MONDAY + timedelta(days=8))) == [ADA, MIRA]


def test_an_earlier_hour_that_has_passed_is_not_made_up_for(program: Engine) -> None:
    save(program, schedule=Schedule(weekday=1, hour=12, zone="UTC"))
    save(program, shown=1, at=MONDAY + MINUTE)

    assert work(program, MONDAY + HOUR) == []
    assert to(work(program, MONDAY + timedelta(days=7))) == [ADA, MIRA]


@pytest.mark.parametrize("late", [timedelta(), MINUTE])
def test_times_before_it_was_turned_on_are_not_made_up_for(
    program: Engine, late: timedelta
) -> None:
    save(program, at=MONDAY + late)
    assert work(program, MONDAY + HOUR) == []
    save(program, shown=1, is_on=False, at=MONDAY + timedelta(hours=2))
    assert work(program, MONDAY + timedelta(days=7)) == []

    # Other recipients leave a late one due.
    save(program, shown=2, at=MONDAY + timedelta(days=8))
    assert work(program, MONDAY + timedelta(days=9)) == []
    save(program, shown=3, at=MONDAY + timedelta(days=15), recipients=[ADA])
    assert to(work(program, MONDAY + timedelta(days=15))) == [ADA]


@pytest.mark.parametrize("change", ["role = 'analyst'", "active = false"])
def test_who_is_no_active_manager_or_administrator_any_more_gets_none(
    program: Engine, change: str
) -> None:
    save(program)
    weekly_mails.make(program, MONDAY, reporter=lambda: program)
    with program.begin() as conn:
        conn.execute(text(f"update review.staff set {change} where email = :e"), {"e": ADA})

    assert to(work(program, MONDAY)) == [MIRA]
    last = last_sent(program)
    assert (last.week, last.mails, last.sent, last.waiting) == (WEEK, 2, 1, 0)
    assert last.last_error == "The recipient is no longer an active manager or administrator."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_on": False}, "Withheld, because the weekly report is off."),
        (
            {"recipients": [ADA]},
            "Withheld, because the report no longer goes to this person.",
        ),
    ],
)
def test_a_mail_that_waits_is_withheld_once_the_settings_end_it(
    program: Engine, change: dict[str, Any], sentence: str
) -> None:
    save(program, recipients=[MIRA])
    assert work(program, MONDAY, refuse(Reason.BUSY)) == []
    assert last_sent(program).waiting == 1
    save(program, shown=1, at=MONDAY + MINUTE, **change)

    assert (last_sent(program).waiting, last_sent(program).last_error) == (0, sentence)
    assert work(program, MONDAY + HOUR) == []
    ended = last_sent(program)
    assert (ended.sent, ended.ended_at, ended.last_error) == (0, MONDAY + HOUR, sentence)
    # As a message of the outbox, it does not come back by itself.
    save(program, shown=2, at=MONDAY + 2 * HOUR, recipients=[MIRA])
    assert work(program, MONDAY + 3 * HOUR) == []


def test_turning_it_off_and_on_before_the_next_attempt_withholds_nothing(program: Engine) -> None:
    save(program, recipients=[MIRA])
    assert work(program, MONDAY, refuse(Reason.BUSY)) == []
    save(program, shown=1, at=MONDAY + MINUTE, recipients=[MIRA], is_on=False)
    save(program, shown=2, at=MONDAY + 2 * MINUTE, recipients=[MIRA])

    assert to(work(program, MONDAY + HOUR)) == [MIRA]


def test_a_mail_that_is_being_sent_is_not_called_withheld(program: Engine) -> None:
    save(program, recipients=[MIRA])
    of = weekly_mails.mail(lambda: program)
    of.make(program, MONDAY)
    held = staff_mails.take(program, of, now=MONDAY, lease=2 * MINUTE)
    assert held is not None
    save(program, shown=1, at=MONDAY + MINUTE, is_on=False)

    assert work(program, MONDAY + MINUTE) == []
    assert last_sent(program).waiting == 1
    assert staff_mails.finish(program, held, now=MONDAY + MINUTE)
    assert (last_sent(program).sent, last_sent(program).last_error) == (1, None)


def test_a_mail_that_may_have_arrived_is_not_sent_again(program: Engine) -> None:
    save(program, recipients=[MIRA])
    of = weekly_mails.mail(lambda: program)
    assert of.make(program, MONDAY) == 1
    lease = timedelta(seconds=60)
    held = staff_mails.take(program, of, now=MONDAY, lease=lease)
    assert held is not None

    assert work(program, MONDAY + lease) == []
    assert not staff_mails.finish(program, held, now=MONDAY + lease)
    assert work(program, MONDAY + timedelta(hours=1)) == []


def test_a_mail_that_was_refused_for_now_goes_unchanged_later(program: Engine) -> None:
    save(program, recipients=[MIRA])
    assert work(program, MONDAY, refuse(Reason.BUSY)) == []
    with program.begin() as conn:
        add_application(conn, 3, submitted_at=SUNDAY)

    (again,) = work(program, MONDAY + 2 * MINUTE)
    assert "- Applications in: 2 (+2" in again.text


def test_silent_mode_holds_the_report_back(program: Engine) -> None:
    save(program, recipients=[MIRA])
    set_silent(program, True)
    assert work(program, MONDAY) == []
    set_silent(program, False)

    (one,) = work(program, MONDAY + HOUR)
    assert "Made on 9 Mar 2026, 09:00 UTC; it was due on" in one.text


def test_a_report_that_cannot_be_read_delays_no_other_mail(program: Engine) -> None:
    save(program, recipients=[MIRA])

    def away() -> Engine:
        raise Invalid("The reader is away.")

    channel = Collecting()
    worker = Worker(
        engine=program,
        channels={Route.EMAIL: channel},
        clock=lambda: MONDAY,
        mails=[weekly_mails.mail(away)],
    )
    worker.drain()
    assert channel.taken == []
    assert to(work(program, MONDAY)) == [MIRA]


@pytest.mark.parametrize("actor", [BEN, NOOR, ADA])
def test_only_managers_set_it_up(program: Engine, actor: str) -> None:
    with pytest.raises(NotAllowed, match="set up the weekly report"):
        save(program, actor=actor)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"recipients": [NOOR]}, "Only active managers and administrators"),
        ({"recipients": []}, "Choose who gets the report"),
        ({"schedule": Schedule(weekday=1, hour=8, zone="Mars/Base")}, "time zone by its name"),
        ({"schedule": Schedule(weekday=8, hour=8, zone="UTC")}, "from Monday to Sunday"),
        ({"schedule": Schedule(weekday=0, hour=8, zone="UTC")}, "from Monday to Sunday"),
        ({"schedule": Schedule(weekday=1, hour=24, zone="UTC")}, "an hour from 0 to 23"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    program: Engine, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        save(program, **given)


def test_off_it_needs_no_recipients_and_each_counts_once(program: Engine) -> None:
    save(program, is_on=False, recipients=[])
    save(program, shown=1, recipients=[MIRA, " Mira@Example.com"])

    with program.connect() as conn:
        saved = weekly_settings.in_force(conn)
    assert saved is not None
    assert (saved.version, saved.is_on, saved.recipients) == (2, True, (MIRA,))


def test_at_most_twenty_people_get_it(program: Engine) -> None:
    many = [f"manager{number:02}@example.com" for number in range(21)]
    with program.begin() as conn:
        conn.execute(
            text("insert into review.staff values (:email, :email, 'manager', true)"),
            [{"email": email} for email in many],
        )

    with pytest.raises(Invalid, match="At most 20 people"):
        save(program, recipients=many)
    assert save(program, recipients=many[:20]) == 1


def test_a_repeat_saves_once_and_a_stale_form_is_refused(program: Engine) -> None:
    request = uuid4()
    assert save(program, request_id=request) == save(program, request_id=request) == 1
    assert save(program, shown=1) == 1
    with pytest.raises(Outdated):
        save(program, recipients=[MIRA])
