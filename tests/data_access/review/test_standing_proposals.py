"""An open proposal over days of new data: figures move, and only a changed result ends it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from data_access.applications import decision_history
from data_access.db.errors import ApprovalLapsed, FiguresMoved
from data_access.review import proposals, reactions
from program import wording
from program.periods import ONE_DAY, day_start
from tests.builders import NOW, add_application, add_staff, pass_checks
from tests.cases import examples
from tests.data_access import clicks
from tests.data_access.clicks import MIRA, viewed_with_checks
from tests.data_access.rollups.test_refreshing import Trade, deliver

ID = 1
FIRST = date(2026, 3, 14)
DAYS = examples(5, of=20)
MINIMUM = 20_000_000


def trades(day: date, volume: int, users: int = 16) -> list[Trade]:
    each = Decimal(volume) / users
    return [
        Trade(day=day, affiliate=ID, user=9000 + n, volume=f"{each:.2f}", fees="1.50")
        for n in range(users)
    ]


def morning(day: date) -> datetime:
    """Return the time when the day's data are complete."""
    return day_start(day + ONE_DAY) + timedelta(hours=9)


def refresh(engine: Engine, day: date, volume: int) -> None:
    deliver(engine, *trades(day, volume))
    rollups.refresh(engine, now=morning(day))
    reactions.react_to_refresh(engine, now=morning(day))


@pytest.fixture
def desk(engine: Engine) -> Engine:
    """An application just short of the volume, not eligible otherwise, with a proposed override."""
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, ID, submitted_at=NOW - timedelta(days=2))
        pass_checks(conn, ID)
    refresh(engine, FIRST, 15_000_000)
    clicks.ask_second(engine, ID, draft=clicks.draft(), now=morning(FIRST))
    return engine


@pytest.mark.sampled
def test_refreshes_without_another_result_leave_it_standing(desk: Engine) -> None:
    for n in range(1, DAYS + 1):
        refresh(desk, FIRST + n * ONE_DAY, 200_000 // DAYS)
    last = FIRST + DAYS * ONE_DAY

    clicks.confirm(
        desk, ID, now=morning(last), shown=viewed_with_checks(desk, ID, now=morning(last))
    )

    with desk.connect() as conn:
        made = decision_history.current(conn, ID)
        proposal = proposals.history(conn, ID)[0]
        entries = {entry.title: entry.body for entry in clicks.thread(conn, ID)}
    assert made is not None
    # The decision stores current figures; those of the proposal stay readable.
    kept = {one["key"]: one["value"] for one in made.snapshot["criteria"]}
    assert Decimal(kept["volume_usd"]) == Decimal(15_200_000)
    assert proposal.seen.facts.volume_usd == Decimal(15_000_000)
    body_then = next(body for title, body in entries.items() if title.startswith("second approval"))
    assert "Referral volume 15,000,000.00 USD" in body_then
    moved = {c["what"]: (c["old"], c["new"]) for c in clicks.events(desk, ID)[-1].detail["moved"]}
    assert moved["referral volume"] == ("15 M USD", "15.2 M USD")
    assert moved["data through"] == ("14 Mar 2026", wording.day(last))


def test_a_refresh_that_turns_a_result_ends_it_with_old_and_new(desk: Engine) -> None:
    for n in range(1, 4):
        refresh(desk, FIRST + n * ONE_DAY, 10_000)
    assert clicks.read(desk, ID).status == "awaiting_second_approval"
    turned = FIRST + 4 * ONE_DAY

    refresh(desk, turned, MINIMUM - 15_030_000)

    assert clicks.read(desk, ID).status == "pending"
    lapse = clicks.events(desk, ID)[-1]
    assert (lapse.kind, lapse.actor) == ("second_approval_lapsed", "program")
    first = lapse.detail["changes"][0]
    assert (first["what"], first["old"], first["new"]) == (
        "referral volume",
        "15 M USD (not met)",
        "20 M USD (met)",
    )


def test_figures_changed_since_the_second_person_viewed_them_are_shown_first(desk: Engine) -> None:
    day = FIRST + ONE_DAY
    shown = viewed_with_checks(desk, ID, now=morning(FIRST))
    refresh(desk, day, 200_000)

    with pytest.raises(FiguresMoved, match=r"referral volume 15 M USD → 15\.2 M USD"):
        clicks.confirm(desk, ID, now=morning(day), shown=shown, actor=MIRA)
    assert clicks.read(desk, ID).status == "awaiting_second_approval"

    clicks.confirm(desk, ID, now=morning(day), shown=viewed_with_checks(desk, ID, now=morning(day)))
    assert clicks.read(desk, ID).status == "approved"


@pytest.mark.parametrize(
    "statement",
    [
        "update exchange.accounts set kyc_status = 'rejected'",
        "update exchange.applications set social_handle = '@somebody_else'",
        "insert into review.checks (application_id, item, outcome, comment, author, created_at)"
        " values (1, 'jurisdiction', 'failed', 'x', 'ben@example.com', now())",
    ],
)
def test_another_fact_about_the_applicant_ends_it(desk: Engine, statement: str) -> None:
    with desk.begin() as conn:
        conn.execute(text(statement))

    with pytest.raises(ApprovalLapsed):
        clicks.confirm(desk, ID, now=morning(FIRST))
    assert len(clicks.events(desk, ID)[-1].detail["changes"]) == 1


def test_another_spelling_of_the_same_handle_leaves_it_standing(desk: Engine) -> None:
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set social_handle = upper(social_handle)"))

    clicks.confirm(desk, ID, now=morning(FIRST))
    assert clicks.read(desk, ID).status == "approved"


def test_evidence_of_the_first_persons_own_is_not_put_down_to_a_colleague(desk: Engine) -> None:
    at = morning(FIRST) + timedelta(minutes=5)
    clicks.record_evidence(desk, ID, entry=clicks.followers(4000, observed_at=at), now=at)

    changes = clicks.events(desk, ID)[-1].detail["changes"]
    evidence = {"old": "without the newest entry", "new": "one was recorded since"}
    assert {"what": "evidence", **evidence} in changes
