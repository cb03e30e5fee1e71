"""The queue agrees with a plain-Python oracle: filters, orders, pages, counts and positions."""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.queue import listing, open_list, order_cache, standings
from data_access.queue import rows as queue_rows
from data_access.queue.order_cache import Place
from data_access.queue.rows import EvidenceState
from program.policy.outcomes import Outcome
from program.review.drilldown import Scope, Slice
from program.review.queue_filters import (
    TRACK_CHOICES,
    WAITING_CHOICES,
    Due,
    Filters,
    Owner,
    Robustness,
    Sort,
    clean_search,
)
from program.review.workflow import OPEN_STATUSES, Status
from program.risk.signals import Severity
from program.text.platforms import platform_key
from tests.builders import NOW, add_account, add_application, add_metrics, add_refresh
from tests.cases import ALL, every, examples
from tests.data_access import crowd
from tests.data_access.crowd import Applicant
from tests.data_access.hostile_text import HOSTILE_TEXT
from tests.data_access.statements import sent
from tests.databases import Databases

ABSENT = 1
EXAMPLES = examples(5, of=40)


# Without a repr: hypothesis prints a failing case, and 260 people hide it.
@dataclass(repr=False)
class Desk:
    engine: Engine
    conn: Connection
    people: list[Applicant]
    context: JudgingContext

    def ids(self, filters: Filters) -> list[int]:
        """Return the oracle's result."""
        return [p.application_id for p in crowd.expected(self.people, filters)]

    def paged(self, filters: Filters, size: int = 50) -> list[int]:
        rows = listing.page(self.conn, filters, self.context, size=size)
        return [row.application_id for row in rows]

    def place(self, id_: int, filters: Filters) -> Place:
        return order_cache.place(self.conn, id_, filters, self.context)


KEPT = "kept standings"


@contextmanager
def settled(databases: Databases, kind: str) -> Iterator[Desk]:
    """A desk with everybody, whose standings are kept or computed by each query."""
    people = crowd.invent()
    if kind == KEPT:
        crowd.forget_the_future(people)
    with crowd.town(databases, people) as engine:
        if kind == KEPT:
            assert standings.restate(engine, now=NOW)
        with engine.connect() as conn:
            context = judging.read_context(conn, now=NOW)
            assert context.is_kept is (kind == KEPT)
            yield Desk(engine, conn, people, context)


@pytest.fixture(
    scope="module",
    params=[KEPT, pytest.param("computed standings", marks=pytest.mark.slow)],
)
def desk(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with settled(databases, request.param) as made:
        yield made


def whole_numbers() -> st.SearchStrategy[str]:
    return st.integers(crowd.FIRST_ID, crowd.FIRST_ID + 6000).map(str)


def parts_of_names() -> st.SearchStrategy[str]:
    return st.sampled_from(crowd.NAMES).flatmap(
        lambda name: st.tuples(st.integers(0, len(name)), st.integers(0, len(name))).map(
            lambda cut: name[min(cut) : max(cut)]
        )
    )


searches = st.one_of(
    st.just(""),
    parts_of_names(),
    parts_of_names().map(lambda part: "@" + part.swapcase()),
    whole_numbers(),
    st.text(max_size=5),
    st.text("%_\\'\"@aX1", max_size=4),
)
views = st.builds(
    Filters,
    search=searches.map(clean_search),
    eligibility=st.lists(st.sampled_from(Outcome), unique=True, max_size=3).map(tuple),
    track=st.none() | st.sampled_from(TRACK_CHOICES),
    country=st.none() | st.sampled_from(["BR", "US", "DE", "FR"]),
    platform=st.none() | st.sampled_from(["x", "youtube", "xiaohongshu", "myspace"]),
    waiting_days=st.none() | st.sampled_from(WAITING_CHOICES),
    status=st.just(Status.PENDING) | st.sampled_from(Status),
    owner=st.none() | st.sampled_from(Owner),
    due=st.none() | st.sampled_from(Due),
    risk=st.just(()) | st.lists(st.sampled_from(Severity), unique=True, max_size=3).map(tuple),
    robust=st.none() | st.sampled_from(Robustness),
    sort=st.sampled_from(Sort),
    reverse=st.booleans(),
    viewer=st.sampled_from([*crowd.HOLDERS, "nobody@example.com"]),
)
# More views with many rows than chance gives.
wide_views = st.builds(
    Filters,
    eligibility=st.lists(st.sampled_from(Outcome), unique=True, max_size=2).map(tuple),
    waiting_days=st.none() | st.sampled_from(WAITING_CHOICES),
    due=st.none() | st.just(Due.OVERDUE),
    owner=st.none() | st.just(Owner.UNASSIGNED),
    robust=st.none() | st.just(Robustness.FRAGILE),
    sort=st.sampled_from(Sort),
    reverse=st.booleans(),
)


def test_the_crowd_holds_every_case(desk: Desk) -> None:
    """An oracle over identical people would agree with anything."""
    pending = crowd.expected(desk.people, Filters())
    outcomes = {p.assessment.outcome for p in pending}
    tracks = {p.assessment.track for p in pending}
    volumes = [p.facts.volume_usd for p in pending]

    assert outcomes == set(Outcome)
    assert tracks == {None, *TRACK_CHOICES}
    assert {p.evidence_state for p in pending} == set(EvidenceState)
    assert {p.status for p in desk.people} == set(Status)
    assert {p.risk.level for p in pending} == set(Severity)
    assert {p.robust and p.robust.is_fragile for p in pending} == {None, False, True}
    assert None in volumes
    assert Decimal(0) in volumes
    assert len(volumes) > len(set(volumes))
    assert len({p.submitted_at for p in pending}) < len(pending)


@settings(max_examples=EXAMPLES)
@given(view=views | wide_views, chance=st.randoms(use_true_random=False))
@example(view=Filters(), chance=random.Random(0))
@example(view=Filters(sort=Sort.VOLUME), chance=random.Random(0))
@example(view=Filters(sort=Sort.ACTIVE), chance=random.Random(0))
@example(view=Filters(sort=Sort.SUBMITTED), chance=random.Random(0))
@example(view=Filters(sort=Sort.DUE), chance=random.Random(0))
@example(view=Filters(sort=Sort.WAITING), chance=random.Random(0))
@example(view=Filters(due=Due.OVERDUE), chance=random.Random(0))
@example(view=Filters(due=Due.SOON), chance=random.Random(0))
@example(view=Filters(owner=Owner.MINE, viewer=crowd.HOLDERS[0]), chance=random.Random(0))
@example(view=Filters(owner=Owner.UNASSIGNED), chance=random.Random(0))
@example(view=Filters(risk=(Severity.HIGH,), sort=Sort.WAITING), chance=random.Random(0))
@example(view=Filters(robust=Robustness.FRAGILE), chance=random.Random(0))
@example(view=Filters(status=Status.DEFERRED), chance=random.Random(0))
@example(view=Filters(status=Status.REJECTED), chance=random.Random(0))
@example(view=Filters(search="%"), chance=random.Random(0))
@example(view=Filters(search="_"), chance=random.Random(0))
@example(view=Filters(search="\\"), chance=random.Random(0))
@example(view=Filters(search="'"), chance=random.Random(0))
@example(view=Filters(search="@"), chance=random.Random(0))
@example(view=Filters(track="both", sort=Sort.VOLUME), chance=random.Random(0))
@example(view=Filters(track="external", country="BR"), chance=random.Random(0))
def test_rows_count_and_places_are_the_oracles(
    desk: Desk, view: Filters, chance: random.Random
) -> None:
    wanted = desk.ids(view)

    assert desk.paged(view, size=1000) == wanted
    assert listing.count(desk.conn, view, desk.context) == len(wanted)
    for id_ in {*chance.sample(wanted, min(1, len(wanted))), *(wanted[-1:] if ALL else [])}:
        assert desk.place(id_, view) == place_in(wanted, id_)


OF_EVERY_KIND = (
    Filters(),
    Filters(sort=Sort.VOLUME, reverse=True),
    Filters(sort=Sort.DUE, eligibility=(Outcome.MET,)),
    Filters(due=Due.OVERDUE, country="BR"),
    Filters(owner=Owner.MINE, viewer=crowd.HOLDERS[0]),
    Filters(risk=(Severity.HIGH,), robust=Robustness.FRAGILE),
    Filters(track="external", search="a"),
    *(Filters(status=status) for status in (Status.DEFERRED, Status.REJECTED)),
)


def test_computed_standings_give_the_oracles_lists_too(databases: Databases) -> None:
    """All tests of this file see such a desk in `make prove`."""
    with settled(databases, "computed standings") as desk:
        for view in OF_EVERY_KIND:
            wanted = desk.ids(view)
            assert desk.paged(view, size=1000) == wanted, view
            assert listing.count(desk.conn, view, desk.context) == len(wanted), view
            for id_ in wanted[:1]:
                assert desk.place(id_, view) == place_in(wanted, id_), view


@pytest.mark.sampled
def test_every_list_is_ordered_both_ways_as_the_oracle_orders_it(desk: Desk) -> None:
    orders = list(product(Status, Sort, (False, True)))
    for status, sort, reverse in every(3, orders):
        view = Filters(status=status, sort=sort, reverse=reverse)

        assert desk.paged(view, size=1000) == desk.ids(view), view


def test_a_stopped_clock_adds_no_points_in_the_list_of_open_applications(
    desk: Desk,
) -> None:
    people = [p for p in desk.people if p.status in OPEN_STATUSES]
    wanted = [p.application_id for p in crowd.in_order(people, Filters())]

    assert {p.is_paused for p in people} == {True, False}
    assert desk.paged(Filters(slice=Slice(scope=Scope.OPEN)), size=1000) == wanted


def place_in(ids: list[int], id_: int) -> Place:
    at = ids.index(id_)
    return Place(
        position=at + 1,
        total=len(ids),
        previous_id=ids[at - 1] if at else None,
        next_id=ids[at + 1] if at + 1 < len(ids) else None,
    )


@settings(max_examples=examples(8, of=20))
@given(view=wide_views, size=st.integers(1, 70), page=st.integers(1, 8))
def test_a_page_is_its_part_of_the_whole_order(
    desk: Desk, view: Filters, size: int, page: int
) -> None:
    wanted = desk.ids(view)[(page - 1) * size : page * size]

    assert desk.paged(view.on_page(page), size=size) == wanted


@settings(max_examples=EXAMPLES)
@given(view=wide_views, size=st.integers(1, 70), back=st.integers(0, 3), in_groups=st.booleans())
@example(view=Filters(sort=Sort.VOLUME), size=9, back=0, in_groups=False)
@example(view=Filters(sort=Sort.VOLUME, reverse=True), size=9, back=0, in_groups=False)
def test_a_page_taken_from_the_end_is_the_same(
    desk: Desk, view: Filters, size: int, back: int, in_groups: bool
) -> None:
    ids = desk.ids(view)
    page = max(1, math.ceil(len(ids) / size) - back)
    found = view.on_page(page)
    with patch.object(open_list, "MANY", 0 if in_groups else len(ids)):
        rows = listing.page(desk.conn, found, desk.context, size=size, total=len(ids))

    assert [row.application_id for row in rows] == ids[(page - 1) * size : page * size]


@pytest.mark.sampled
def test_walking_all_pages_meets_everyone_once(desk: Desk) -> None:
    for sort in every(3, list(Sort)):
        view = Filters(sort=sort)
        met = [id_ for page in range(1, 6) for id_ in desk.paged(view.on_page(page))]

        assert met == desk.ids(view), sort
        assert len(set(met)) == crowd.PENDING


@pytest.mark.parametrize("page", [5, 6, 1_000_000])
def test_a_page_past_the_end_is_empty(desk: Desk, page: int) -> None:
    assert desk.paged(Filters(page=page)) == []


@pytest.mark.parametrize("sort", Sort)
def test_walking_by_next_meets_everyone_in_order(desk: Desk, sort: Sort) -> None:
    view = Filters(sort=sort, eligibility=(Outcome.MET,))
    walked, place = [], desk.place(ABSENT, view)
    while place.next_id is not None:
        walked.append(place.next_id)
        place = desk.place(place.next_id, view)

    assert walked == desk.ids(view)
    assert place == Place(
        position=len(walked), total=len(walked), previous_id=walked[-2], next_id=None
    )


@pytest.mark.parametrize(
    "view", [Filters(), Filters(eligibility=(Outcome.UNKNOWN,), sort=Sort.VOLUME)]
)
def test_an_application_outside_the_filters_has_no_position_and_next_is_the_first(
    desk: Desk, view: Filters
) -> None:
    decided = next(p for p in desk.people if p.status is Status.APPROVED)
    wanted = desk.ids(view)
    nowhere = Place(position=None, total=len(wanted), previous_id=None, next_id=wanted[0])

    assert desk.place(ABSENT, view) == nowhere
    assert desk.place(decided.application_id, view) == nowhere


def test_an_empty_view_has_no_positions(desk: Desk) -> None:
    nowhere = Place(position=None, total=0, previous_id=None, next_id=None)

    assert desk.place(desk.people[0].application_id, Filters(country="ZZ")) == nowhere


@pytest.mark.parametrize("sort", [Sort.VOLUME, Sort.ACTIVE])
def test_an_unknown_comes_after_every_zero(desk: Desk, sort: Sort) -> None:
    rows = listing.page(desk.conn, Filters(sort=sort), desk.context, size=1000)
    key = "volume_usd" if sort is Sort.VOLUME else "active_users"
    values = [getattr(row.facts, key) for row in rows]
    known = [value for value in values if value is not None]

    assert known[-1] == 0
    assert values == [*sorted(known, reverse=True), *[None] * (len(values) - len(known))]
    assert len(known) < len(values)


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        (Sort.WAITING, [11, 12, 13]),
        (Sort.SUBMITTED, [13, 12, 11]),
        (Sort.VOLUME, [11, 12, 13]),
        (Sort.ACTIVE, [11, 12, 13]),
    ],
)
def test_ties_are_broken_by_id(conn: Connection, sort: Sort, ids: list[int]) -> None:
    add_refresh(conn)
    for id_ in (12, 11, 13):
        add_application(conn, id_)
        add_metrics(conn, id_, volume=5, active=1)
    context = judging.read_context(conn, now=NOW)

    found = listing.page(conn, Filters(sort=sort), context)

    assert [row.application_id for row in found] == ids


def test_counts_are_of_the_whole_queue(desk: Desk) -> None:
    found = asdict(listing.counts(desk.conn, desk.context, viewer=crowd.HOLDERS[0]))
    set_aside = found.pop("set_aside")

    assert crowd.tally(desk.people) == found
    assert set_aside == {
        status: sum(p.status is status for p in desk.people) for status in OPEN_STATUSES[1:]
    }


def test_each_row_shows_the_facts_judgment_months_and_evidence_of_its_application(
    desk: Desk,
) -> None:
    by_id = {p.application_id: p for p in desk.people}
    rows = queue_rows.of_ids(desk.conn, list(by_id), desk.context)

    assert [row.application_id for row in rows] == list(by_id)
    for row in rows:
        person = by_id[row.application_id]
        assert row.facts == person.facts
        assert row.assessment == person.assessment
        assert row.evidence is person.evidence_state
        assert row.months == tuple(
            person.months.get(back, Decimal(0)) for back in reversed(range(6))
        )
        assert row.status is person.status
        assert row.desk.assignee(NOW) == person.holder
        assert row.desk.clock_from == person.clock_from
        assert row.priority.total == person.points
        if person.status is Status.PENDING:
            assert (row.due_at <= NOW) == person.is_overdue
        assert (row.account_id, row.username, row.country_code) == (
            person.account_id,
            person.username,
            person.country,
        )
        assert (row.social_platform, row.social_handle, row.submitted_at) == (
            person.platform,
            person.handle,
            person.submitted_at,
        )


def test_rows_come_in_the_given_order_without_unknown_ids(desk: Desk) -> None:
    a, b, c = (p.application_id for p in desk.people[:3])
    rows = queue_rows.of_ids(desk.conn, [c, ABSENT, a, b], desk.context)

    assert [row.application_id for row in rows] == [c, a, b]
    assert queue_rows.of_ids(desk.conn, [], desk.context) == []


def test_before_the_first_refresh_everything_is_unknown_and_nothing_fails(
    conn: Connection,
) -> None:
    for id_ in (1, 2):
        add_application(conn, id_)
    context = judging.read_context(conn, now=NOW)
    unknown = Filters(eligibility=(Outcome.UNKNOWN,))

    found = listing.page(conn, unknown.in_order(Sort.VOLUME), context)

    assert [(row.application_id, row.facts.volume_usd, row.months) for row in found] == [
        (1, None, ()),
        (2, None, ()),
    ]
    assert listing.counts(conn, context) == empty_counts(
        total=2, unknown=2, unassigned=2, overdue=2
    )
    assert order_cache.place(conn, 2, unknown, context).position == 2


def empty_counts(**given: int) -> listing.Counts:
    nothing = dict.fromkeys(
        ("total", "met", "not_met", "unknown", "overdue", "unassigned", "mine"), 0
    )
    return listing.Counts(**{**nothing, **given}, set_aside=dict.fromkeys(OPEN_STATUSES[1:], 0))


def test_an_empty_queue_is_no_error(conn: Connection) -> None:
    add_refresh(conn)
    context = judging.read_context(conn, now=NOW)

    assert listing.page(conn, Filters(), context) == []
    assert listing.count(conn, Filters(), context) == 0
    assert listing.counts(conn, context) == empty_counts()
    assert (listing.countries(conn), listing.platforms(conn)) == ([], {})


def test_the_choices_offered_are_those_of_pending_applications(desk: Desk) -> None:
    pending = crowd.expected(desk.people, Filters())

    assert listing.countries(desk.conn) == sorted({p.country for p in pending if p.country})
    offered = listing.platforms(desk.conn)
    assert set(offered) == {platform_key(p.platform) for p in pending}
    # A search for any spelling in the data finds its choice.
    shown = {key: label.split(", ") for key, label in offered.items()}
    assert [p for p in pending if p.platform not in shown[platform_key(p.platform)]] == []


@pytest.mark.parametrize(
    ("days", "late", "waits"),
    [
        (3, timedelta(0), True),
        (3, timedelta(microseconds=1), False),
        (30, timedelta(0), True),
        (30, timedelta(microseconds=1), False),
    ],
)
def test_waiting_counts_from_the_moment(
    conn: Connection, days: int, late: timedelta, waits: bool
) -> None:
    add_application(conn, 1, submitted_at=NOW - timedelta(days=days) + late)
    context = judging.read_context(conn, now=NOW)

    assert listing.count(conn, Filters(waiting_days=days), context) == int(waits)


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("meadow", True),
        ("MEADOW", True),
        ("eado", True),
        ("@meadow", True),
        ("meadow_trader", True),
        ("meadowXtrader", False),
        ("tele.guy", True),
        ("someone@else", True),
        ("71", True),
        ("7", False),
        ("9001", True),
        ("900", False),
        ("071", True),
        ("user", False),
        ("%", False),
        ("_", True),
        ("meadow trader", False),
    ],
)
def test_a_search_finds_parts_of_name_handle_and_contact_and_whole_numbers(
    conn: Connection, term: str, found: bool
) -> None:
    add_account(conn, 9001, username="someone@else")
    add_application(
        conn,
        71,
        account_id=9001,
        social_handle="@Meadow_Trader",
        contact_handle="tele.guy",
    )
    context = judging.read_context(conn, now=NOW)

    assert listing.count(conn, Filters(search=clean_search(term)), context) == int(found)


def misunderstood(desk: Desk, searches: Sequence[str]) -> list[str]:
    wrong = []
    for typed in searches:
        view = Filters.from_query({"search": typed})
        if desk.paged(view, size=20) != desk.ids(view)[:20]:
            wrong.append(typed)
    return wrong


@pytest.mark.parametrize(
    "step", [pytest.param(12, id="a sample"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_hostile_searches_are_only_text(desk: Desk, step: int) -> None:
    assert misunderstood(desk, HOSTILE_TEXT[::step]) == []
    assert len(HOSTILE_TEXT) >= 300


@pytest.mark.sampled
def test_the_search_indexes_find_the_same(desk: Desk) -> None:
    desk.conn.execute(text("set enable_seqscan = off"))
    try:
        assert misunderstood(desk, [*every(5, crowd.NAMES), *every(4, HOSTILE_TEXT[::5])]) == []
    finally:
        desk.conn.execute(text("set enable_seqscan = on"))


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(), "standings_by_points"),
        (Filters(country="BR"), "standings_by_country"),
        (Filters(platform="x"), "standings_by_platform"),
        (Filters(risk=(Severity.HIGH,)), "standings_by_risk"),
    ],
)
def test_a_first_page_by_priority_is_read_in_the_order_of_an_index(
    desk: Desk, filters: Filters, index: str
) -> None:
    wanted = open_list.found(filters, desk.context, size=20, total=open_list.MANY + 1)
    # Without statistics that would rather read so few applications whole.
    names = ("seqscan", "bitmapscan", "sort", "incremental_sort")
    try:
        for name in names:
            desk.conn.execute(text(f"set enable_{name} = off"))
        plan = desk.conn.exec_driver_sql(f"explain {wanted.whole}", wanted.values).scalars()
        scans = {line.split(" on ")[0].split()[-1] for line in plan if "Only Scan using" in line}
    finally:
        for name in names:
            desk.conn.execute(text(f"reset enable_{name}"))

    # Computed ones have none.
    assert scans == ({index} if desk.context.is_kept else set())


@settings(max_examples=EXAMPLES)
@given(typed=st.text(max_size=120))
def test_any_text_may_be_searched_for(desk: Desk, typed: str) -> None:
    view = Filters.from_query({"search": typed})

    assert desk.paged(view, size=1000) == desk.ids(view)
    assert listing.count(desk.conn, view, desk.context) == len(desk.ids(view))


@settings(max_examples=examples(8, of=20))
@given(
    query=st.dictionaries(
        st.sampled_from(["search", "eligibility", "track", "country", "platform", "waiting"]),
        st.sampled_from(HOSTILE_TEXT) | st.text(max_size=30),
    )
)
def test_any_query_parameters_are_accepted(desk: Desk, query: dict[str, str]) -> None:
    view = Filters.from_query(query)

    assert desk.paged(view, size=1000) == desk.ids(view)


def test_nothing_that_was_searched_for_changed_anything(desk: Desk) -> None:
    applications = desk.conn.execute(text("select count(*) from exchange.applications"))

    assert applications.scalar_one() == crowd.PENDING + crowd.OTHERS


@pytest.mark.parametrize("view", [Filters(), Filters(search="a", eligibility=(Outcome.UNKNOWN,))])
def test_a_page_of_one_row_and_of_all_takes_as_many_statements(desk: Desk, view: Filters) -> None:
    taken = []
    for size in (1, 200):
        with sent(desk.engine) as seen:
            desk.paged(view, size=size)
        taken.append(len(seen))

    assert taken == [1, 1]


def test_one_row_and_two_hundred_take_one_statement(desk: Desk) -> None:
    ids = [p.application_id for p in desk.people]
    for count in (1, 200):
        with sent(desk.engine) as seen:
            assert len(queue_rows.of_ids(desk.conn, ids[:count], desk.context)) == count
        assert len(seen) == 1


def test_an_application_that_left_in_another_process_moves_the_rest_up(conn: Connection) -> None:
    for id_ in (1, 2, 3):
        add_application(conn, id_, submitted_at=NOW - timedelta(hours=9 - id_))
    context, oldest = judging.read_context(conn, now=NOW), Filters().in_order(Sort.WAITING)
    assert order_cache.place(conn, 3, oldest, context).position == 3

    conn.execute(
        text("update exchange.applications set status = 'withdrawn' where application_id = 1")
    )
    conn.execute(
        text(
            "insert into review.events (application_id, kind, actor, at, detail) values"
            """ (1, 'rejected', 'ben@example.com', now(), '{"status": {"new": "rejected"}}')"""
        )
    )

    assert order_cache.place(conn, 3, oldest, context) == Place(
        position=2, total=2, previous_id=2, next_id=None
    )
