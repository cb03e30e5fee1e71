"""The demo: lifelike, made up, the same every time, and never on top of other data."""

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from data_access import demo, rollups
from data_access.affiliates import board
from data_access.applications import read
from data_access.db import tables
from data_access.db.errors import DatabaseNotEmpty, Invalid
from data_access.demo import filling, names, plans
from data_access.demo.calendar import Calendar
from data_access.demo.plans import Turn
from data_access.eligibility import assessments, judging
from data_access.explore import saved_views
from data_access.history import chain
from data_access.review import (
    checklist,
    duplicates,
    reactions,
    second_approvals,
)
from data_access.review import claims as review_claims
from data_access.review.decisions import Draft
from program.periods import Window
from program.policy.eligibility import Facts, assess
from program.policy.evidence import EvidenceKind, Observation, establish
from program.policy.outcomes import Outcome
from program.policy.policy import DEFAULT_REQUIRED_CHECKS, Policy
from program.reports.periods import Grain
from program.review import business_time
from program.review.queue_filters import Filters
from program.review.sign_in import DEMO_ISSUER
from program.review.workflow import Decision, Status
from program.risk import judging as judging_of_risk
from program.risk.judging import Measured
from program.risk.signals import SIGNALS, Severity
from tests.cases import first_of
from tests.data_access import clicks
from tests.data_access.reports.test_kpis import flow_of
from tests.databases import Databases

NOW = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)
T = date(2026, 3, 14)
SMALL, PENDING = 80, 60

# The window's figures of each pending application, counted from facts.
IN_WINDOW = """
with by_user as (
    select affiliate_account_id, referred_account_id, sum(volume_usd) as volume_usd
    from exchange.referral_activity where activity_date between date '2026-02-13' and date '2026-03-14'
    group by 1, 2
), traded as (
    select affiliate_account_id, sum(volume_usd) as volume_usd, max(volume_usd) as top,
        count(*) filter (where volume_usd > 0) as active, count(*) as trading
    from by_user group by 1
), acquired as (
    select affiliate_account_id, count(*) as new from exchange.referrals
    where referred_at >= '2026-02-13T00:00Z' and referred_at < '2026-03-15T00:00Z' group by 1
)
select application_id, p.account_id, coalesce(volume_usd, 0) as volume_usd, coalesce(active, 0) as active,
    coalesce(new, 0) as new, coalesce(trading, 0) as trading, coalesce(top, 0) as top
from exchange.applications p
left join traded t on t.affiliate_account_id = p.account_id
left join acquired a on a.affiliate_account_id = p.account_id
where status = 'pending'
"""


def make(
    engine: Engine, *, now: datetime = NOW, progress: filling.Progress | None = None, **size: int
) -> None:
    """Make a demo with its open applications worked on."""
    demo.fill(engine, now=now, progress=progress, **size)
    rollups.refresh(engine, now=now)
    demo.work_desk(engine)


@pytest.fixture(scope="module")
def tiny(databases: Databases) -> Iterator[Engine]:
    """The smallest demo there is; read only."""
    with databases.engine("demo") as engine:
        make(engine, affiliates=plans.MIN_AFFILIATES)
        yield engine


@pytest.fixture(scope="module")
def reports() -> list[tuple[int, int]]:
    """The progress of the small demo."""
    return []


@contextmanager
def most_wait() -> Iterator[None]:
    """Let a small demo have as many open applications as the one of `make run`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "PENDING_SHARE", PENDING / SMALL)
        yield


@pytest.fixture(scope="module")
def small(databases: Databases, reports: list[tuple[int, int]]) -> Iterator[Engine]:
    """A demo with every state of the desk, and little else; read only."""
    with databases.engine("demo") as engine:
        with most_wait():
            make(engine, affiliates=SMALL, progress=lambda *of: reports.append(of))
        yield engine


@pytest.fixture(scope="module")
def whole(databases: Databases) -> Iterator[Engine]:
    """The demo as `make run` creates it; read only."""
    with databases.engine("demo") as engine:
        make(engine)
        yield engine


@pytest.fixture(params=first_of("small", "whole"))
def any_size(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The small demo, and in `make prove` also the one of `make run`; read only."""
    made: Engine = request.getfixturevalue(request.param)
    with most_wait() if request.param == "small" else nullcontext():
        yield made


@pytest.fixture
def desk(databases: Databases, any_size: Engine) -> Iterator[Engine]:
    """A copy of a demo to change."""
    # A database can only be copied while nobody else uses it.
    any_size.dispose()
    with databases.engine("demo", of=any_size.url.database) as engine:
        yield engine


def one(engine: Engine, sql: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(sql)).scalar_one()


def rows(engine: Engine, sql: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def fingerprint(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {
            table.fullname: connection.execute(
                text(
                    f"select md5(string_agg(t::text, '|' order by t::text)) from {table.fullname} t"
                )
            ).scalar_one()
            for table in tables.metadata.sorted_tables
            # Random salts and what is made of them, and the number of a transaction.
            if not table.name.startswith("history_") and table is not tables.work_counted
        }


@pytest.mark.measures_risk
def test_the_same_seed_and_moment_make_the_same_rows(tiny: Engine, databases: Databases) -> None:
    with databases.engine("demo") as again:
        make(again, affiliates=plans.MIN_AFFILIATES)

        one, other = fingerprint(again), fingerprint(tiny)
        assert {k for k in one if one[k] != other[k]} == set()


def test_its_history_verifies(small: Engine) -> None:
    assert chain.verify(small).rows > 100


@pytest.mark.measures_risk
@pytest.mark.slow
def test_another_seed_makes_other_rows(small: Engine, databases: Databases) -> None:
    with databases.engine("demo") as other:
        with most_wait():
            make(other, affiliates=SMALL, seed=8)
        before, after = fingerprint(small), fingerprint(other)

    same = ("staff", "policies", "holidays", "saved_views", "message_templates", "standing_basis")
    kept = {f"review.{name}" for name in (*same, "delivery_settings", "text_rules")}
    filled = {name for name, digest in before.items() if digest}
    assert {name for name in filled if before[name] == after[name]} == kept


@pytest.mark.parametrize(
    ("now", "through", "first"),
    first_of(
        (datetime(2028, 3, 1, 0, 0, 30, tzinfo=UTC), date(2028, 2, 29), date(2027, 2, 1)),
        (datetime(2026, 1, 1, 23, 59, tzinfo=UTC), date(2025, 12, 31), date(2024, 12, 1)),
    ),
)
def test_activity_ends_yesterday_and_begins_twelve_months_before_its_month(
    engine: Engine, now: datetime, through: date, first: date
) -> None:
    report = demo.fill(engine, now=now, affiliates=60)

    span = "select min(activity_date), max(activity_date) from exchange.referral_activity"
    assert rows(engine, span) == [(first, through)]
    assert report.data_through == through.isoformat()


MOMENTS = [
    "exchange.accounts.created_at",
    "exchange.applications.submitted_at",
    "exchange.applications.status_changed_at",
    "exchange.referrals.referred_at",
    "review.evidence.observed_at",
    "review.evidence.recorded_at",
    "review.notes.created_at",
    "review.checks.created_at",
    "review.decisions.decided_at",
    "review.events.at",
    "review.outbox.delivered_at",
    "review.proposals.proposed_at",
    "review.proposals.closed_at",
    "review.desk.status_at",
    "review.desk.claimed_at",
    "review.desk.clock_from",
    "review.desk.answered_at",
    "review.saved_views.created_at",
]


def test_nothing_happens_after_now(any_size: Engine) -> None:
    for moment in MOMENTS:
        table, column = moment.rsplit(".", 1)
        newest = one(any_size, f"select max({column}) from {table}")
        assert newest <= NOW, moment


def test_the_demo_of_make_run_is_planned_as_a_desk_of_its_size() -> None:
    planned = filling.Demo(
        affiliates=filling.DEFAULT_AFFILIATES,
        seed=filling.DEFAULT_SEED,
        calendar=Calendar.ending_before(NOW),
        policy=Policy(),
    ).planned()
    applications = [one for account in planned for one in account.applications]
    waiting = [one for one in applications if one.is_open]
    by_status = Counter(one.status for one in applications if not one.is_open)
    turns = Counter(one.turn for one in waiting)

    assert len(waiting) == 60
    assert 2_200 <= by_status.total() <= 2_350
    assert 0.18 <= by_status[Status.APPROVED] / by_status.total() <= 0.28
    assert 0.64 <= by_status[Status.REJECTED] / by_status.total() <= 0.74
    assert (turns[Turn.ASKED], turns[Turn.PROPOSED]) == (4, 3)
    assert turns[Turn.DEFERRED_TO_A_DAY] + turns[Turn.DEFERRED_TO_A_CHANGE] == 5


@pytest.mark.slow
def test_counts_are_what_a_desk_of_this_size_sees(whole: Engine) -> None:
    by_status = Counter(
        dict(rows(whole, "select status, count(*) from exchange.applications group by 1"))
    )
    settled = by_status.total() - by_status["pending"]

    assert by_status["pending"] == 60
    assert 2_200 <= settled <= 2_350
    assert 0.18 <= by_status["approved"] / settled <= 0.28
    assert 0.64 <= by_status["rejected"] / settled <= 0.74
    assert by_status["withdrawn"] >= 100
    assert 300_000 <= one(whole, "select count(*) from exchange.referral_activity") <= 600_000
    assert one(whole, "select count(distinct country_code) from exchange.accounts") >= 12
    assert one(whole, "select count(*) from review.decisions") > 2_000
    assert one(whole, "select count(*) from review.decisions where is_override") >= 10


@pytest.mark.slow
def test_the_queue_holds_all_three_answers(whole: Engine) -> None:
    outcomes = Counter(assess(facts, Policy()).outcome for facts in pending_facts(whole))

    assert outcomes[Outcome.MET] == pytest.approx(12, abs=2)
    assert outcomes[Outcome.NOT_MET] == pytest.approx(24, abs=3)
    assert outcomes[Outcome.UNKNOWN] == pytest.approx(24, abs=3)


def pending_facts(engine: Engine) -> list[Facts]:
    seen: dict[int, list[Observation]] = {}
    for id_, evidence_id, kind, value, at, exchange in rows(
        engine,
        "select application_id, evidence_id, kind, value, observed_at, exchange_name from review.evidence",
    ):
        seen.setdefault(id_, []).append(
            Observation(
                evidence_id=evidence_id,
                kind=EvidenceKind(kind),
                value=value,
                observed_at=at,
                exchange_name=exchange,
            )
        )
    facts = []
    for id_, _, volume, active, new, _, _ in rows(engine, IN_WINDOW):
        reach = establish(seen.get(id_, []), data_through=T, now=NOW, policy=Policy())
        facts.append(
            Facts(
                volume_usd=volume,
                active_users=active,
                new_users=new,
                x_followers=reach.x_followers,
                external_volume_usd=reach.external_volume_usd,
            )
        )
    return facts


@pytest.mark.parametrize(
    "condition",
    [
        "volume_usd = 19999999.99 and active = 15 and new = 5",
        "volume_usd = 20000000.00 and active = 15 and new = 5",
        "volume_usd > 20000000 and active = 14 and trading = 15",
        "volume_usd > 20000000 and active = 15 and new = 4",
        "volume_usd = 0 and active = 0 and trading = 0",
        "top > 0.9 * volume_usd and volume_usd > 20000000 and active >= 15",
        "new >= 40",
    ],
)
def test_the_queue_holds_both_sides_of_each_on_exchange_boundary(
    small: Engine, condition: str
) -> None:
    assert one(small, f"select count(*) from ({IN_WINDOW}) w where {condition}") >= 1


@pytest.mark.parametrize(
    "condition",
    [
        "kind = 'x_followers' and value = 5000",
        "kind = 'x_followers' and value = 5001",
        "kind = 'external_volume' and value = 19999999.99",
        "kind = 'x_followers' and observed_at::date = date '2026-03-14' - 90",
        "kind = 'x_followers' and observed_at::date = date '2026-03-14' - 91",
        "kind = 'external_volume' and value = 12000000",
        "kind = 'external_volume' and value = 8000000",
    ],
)
def test_the_queue_holds_both_sides_of_each_external_boundary(
    small: Engine, condition: str
) -> None:
    pending = "application_id in (select application_id from exchange.applications where status = 'pending')"

    assert one(small, f"select count(*) from review.evidence where {pending} and {condition}") >= 1


@pytest.mark.parametrize(
    "moment", ["2026-03-14T23:59:59.999999Z", "2026-03-15T00:00:00Z"], ids=["last", "after"]
)
def test_a_referral_falls_on_either_side_of_the_windows_end(small: Engine, moment: str) -> None:
    assert (
        one(small, f"select count(*) from exchange.referrals where referred_at = '{moment}'") == 1
    )


ODD = {
    "a pair trades the same volumes": """
        select count(*) from (
            select a.affiliate_account_id from exchange.referral_activity a
            join exchange.referral_activity b using (affiliate_account_id, activity_date)
            where a.referred_account_id < b.referred_account_id and a.activity_date > date '2026-02-12'
              and a.volume_usd > 10000 and abs(a.volume_usd - b.volume_usd) <= 0.01 * a.volume_usd
            group by 1, a.referred_account_id, b.referred_account_id having count(*) >= 10) pairs""",
    "one day carries half of the volume": """
        select count(*) from (
            select affiliate_account_id from (
                select affiliate_account_id, activity_date, sum(volume_usd) v
                from exchange.referral_activity where activity_date > date '2026-02-12' group by 1, 2) d
            group by 1 having max(v) > 0.5 * sum(v) and sum(v) > 10000000 and count(*) > 10) spikes""",
    "all volumes are round": """
        select count(*) from (
            select affiliate_account_id from exchange.referral_activity
            group by 1 having bool_and(volume_usd % 1000 = 0) and count(*) > 50) round""",
    "most volume pays no fee": """
        select count(*) from (
            select affiliate_account_id from exchange.referral_activity group by 1
            having sum(volume_usd) filter (where fees_usd = 0) > 0.6 * sum(volume_usd)) free""",
    "most active users trade next to nothing": """
        select count(*) from (
            select affiliate_account_id, count(*) active, count(*) filter (where v >= 1000) over_1000
            from (select affiliate_account_id, referred_account_id, sum(volume_usd) v
                  from exchange.referral_activity where activity_date > date '2026-02-12' group by 1, 2) u
            where v > 0 group by 1) padded where active > 15 and over_1000 < 8""",
}


@pytest.mark.parametrize("sql", ODD.values(), ids=ODD)
def test_some_affiliates_are_odd(small: Engine, sql: str) -> None:
    assert one(small, sql) >= 1


def test_weekends_are_quiet_and_the_program_grows(any_size: Engine) -> None:
    weekend, weekday = rows(
        any_size,
        "select avg(v) filter (where extract(isodow from d) >= 6), avg(v) filter (where extract(isodow from d) < 6)"
        " from (select activity_date d, sum(volume_usd) v from exchange.referral_activity group by 1) t",
    )[0]
    months = rows(
        any_size,
        "select count(distinct referred_account_id) from exchange.referral_activity"
        " where activity_date < '2026-03-01' group by date_trunc('month', activity_date) order by min(activity_date)",
    )

    assert weekend < Decimal("0.8") * weekday
    assert 2 * months[0][0] < months[-1][0]


def test_decisions_are_made_at_work_on_the_facts_of_the_time(any_size: Engine) -> None:
    wrong = """
        select count(*) from review.decisions d join exchange.applications p using (application_id)
        join lateral (
            select coalesce(sum(volume_usd), 0) as volume_usd from exchange.referral_activity
            where affiliate_account_id = p.account_id
              and activity_date between (snapshot -> 'window' ->> 'start')::date and (snapshot -> 'window' ->> 'end')::date
        ) facts on true
        where (snapshot -> 'criteria' -> 0 ->> 'value')::numeric <> facts.volume_usd
           or (snapshot ->> 'data_through')::date <> decided_at::date - 1
           or (snapshot -> 'window' ->> 'end')::date <> decided_at::date - 1
           or extract(isodow from decided_at) > 5 or decided_at <= p.submitted_at
           or is_override <> ((snapshot ->> 'outcome' = 'met') <> (d.outcome = 'approved'))"""

    assert one(any_size, wrong) == 0
    assert set(rows(any_size, "select distinct decided_by from review.decisions")) == {
        (reviewer,) for reviewer in names.REVIEWERS
    }


def test_upstream_has_every_decision_but_the_one_that_was_taken_back(any_size: Engine) -> None:
    other = """
        select d.outcome, p.status, e.at = p.status_changed_at
        from review.decisions d join exchange.applications p using (application_id)
        left join review.events e on e.application_id = p.application_id and e.kind = 'reopened'
        where d.outcome <> p.status or decided_at <> p.status_changed_at"""

    assert rows(any_size, other) == [("rejected", "pending", True)]


def test_every_decision_has_its_event_and_its_delivered_message(any_size: Engine) -> None:
    lacking = """
        select count(*) from review.decisions d
        left join review.outbox o using (decision_id)
        left join review.events e on (e.detail ->> 'decision_id')::bigint = d.decision_id
            and e.kind <> 'reopened'
        where o.delivered_at is null or e.kind is distinct from d.outcome
           or o.application_id <> d.application_id or e.application_id <> d.application_id"""

    assert one(any_size, lacking) == 0
    assert one(any_size, "select count(*) from review.decisions") > 200


NOT_SAID = {
    "why a decision goes against eligibility": "is_override and (override_reason is null or second_approver is null)",
    "when one may apply again": "outcome = 'rejected' and (reapply is null or (reapply_from is null and reapply <> 'never'))",
    "whom it is for": "message_to_applicant not like 'Hello ' || username || ',%'",
    "what a placeholder stands for": "message_to_applicant ~ '[{][{]'",
}


@pytest.mark.parametrize("lacks", NOT_SAID.values(), ids=NOT_SAID)
def test_every_decision_has_its_reasons(any_size: Engine, lacks: str) -> None:
    made = "review.decisions join exchange.applications using (application_id) join exchange.accounts using (account_id)"

    assert one(any_size, f"select count(*) from {made} where {lacks}") == 0


def test_a_decision_of_two_was_proposed_by_the_one_and_confirmed_by_the_other(
    any_size: Engine,
) -> None:
    apart = """
        select count(*) from review.decisions d
        full join (select * from review.proposals where closed_as is not null) p using (application_id)
        where (d.second_approver is not null or p.proposal_id is not null) and (
            p.closed_as, p.closed_by, p.proposed_by, p.closed_at, p.outcome, p.override_reason)
          is distinct from (
            'confirmed', d.second_approver, d.decided_by, d.decided_at, d.outcome, d.override_reason)"""

    assert one(any_size, apart) == 0
    closed = "select distinct closed_by from review.proposals where closed_by is not null"
    by_managers = {manager for (manager,) in rows(any_size, closed)}
    assert by_managers
    assert by_managers <= set(names.MANAGERS)


@pytest.mark.parametrize("table", ["decisions", "proposals"])
def test_no_approval_without_the_required_checks(any_size: Engine, table: str) -> None:
    lacking = f"""
        select count(*) from review.{table} d, review.policies p, unnest(p.required_checks) item
        where d.outcome = 'approved' and not exists (
            select from review.checks c where c.application_id = d.application_id
              and c.item = item and c.outcome in ('passed', 'not_applicable'))"""

    assert one(any_size, lacking) == 0


def test_checks_are_on_the_policys_list_and_a_failed_one_has_a_comment(any_size: Engine) -> None:
    odd = """
        select count(*) from review.checks, review.policies
        where item <> all (checklist) or (outcome = 'failed') <> (comment <> '')"""

    assert one(any_size, odd) == 0


# --- The review desk -----------------------------------------------------------------------------


def pending(engine: Engine, now: datetime = NOW) -> list[read.Application]:
    with engine.connect() as connection:
        ids = connection.execute(
            text("select application_id from exchange.applications where status = 'pending'")
        ).scalars()
        return [read.read(connection, id_, now=now) for id_ in list(ids)]


@pytest.mark.slow
def test_the_desk_has_something_in_every_state(whole: Engine) -> None:
    found = pending(whole)
    states = Counter(application.status for application in found)
    desks = [application.desk for application in found]
    claims = [desk.claim for desk in desks if desk.claim is not None]

    assert states == {
        Status.PENDING: 48,
        Status.DEFERRED: 5,
        Status.MORE_INFO_NEEDED: 4,
        Status.AWAITING_SECOND_APPROVAL: 3,
    }
    assert sum(claim.until is not None for claim in claims) == 5
    assert sum(claim.until is None for claim in claims) == 2
    assert {claim.assignee for claim in claims} == set(names.REVIEWERS)
    assert sum(desk.answered_at is not None for desk in desks) == 2
    assert {desk.deferred_answers is None for desk in desks if desk.deferred_until} == {True}
    assert sum(desk.deferred_answers is not None for desk in desks) == 2


def test_every_act_on_an_open_application_was_a_command(any_size: Engine) -> None:
    acts = """
        select 'desk' as what, application_id, null::text as by from review.desk
        union all select 'event', application_id, actor from review.events
        union all select 'evidence', application_id, recorded_by from review.evidence
        union all select 'note', application_id, author from review.notes
        union all select 'check', application_id, author from review.checks
        union all select 'proposal', application_id, proposed_by from review.proposals"""
    unasked = f"""
        select what, count(*) filter (where not exists (
            select from review.requests r where r.application_id = acts.application_id
              and r.actor = coalesce(by, r.actor)))
        from ({acts}) acts join exchange.applications using (application_id)
        where status = 'pending' and by is distinct from 'delivery' and application_id not in (
            select application_id from review.decisions)
        group by 1 order by 1"""

    assert rows(any_size, unasked) == [
        (what, 0) for what in ("check", "desk", "event", "evidence", "note", "proposal")
    ]


def test_a_desk_that_somebody_works_on_is_left_alone(desk: Engine, engine: Engine) -> None:
    claimed = (
        "select application_id, assignee from review.desk where claim_until is not null limit 1"
    )
    [(id_, holder)] = rows(desk, claimed)
    release = {"application_id": id_, "actor": holder, "now": NOW}
    review_claims.release(desk, clicks.command(review_claims.Release, **release))
    before = fingerprint(desk)
    demo.work_desk(desk)
    assert fingerprint(desk) == before

    without_demo = fingerprint(engine)
    demo.work_desk(engine)
    assert fingerprint(engine) == without_demo


def test_claims_hold_while_somebody_looks_around(any_size: Engine) -> None:
    later = NOW.replace(hour=NOW.hour + 2)

    assert (
        sum(application.desk.assignee(later) is not None for application in pending(any_size)) == 7
    )


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2026, 3, 18, 15, tzinfo=UTC), marks=pytest.mark.slow),
        pytest.param(datetime(2026, 3, 16, 0, 0, 30, tzinfo=UTC), marks=pytest.mark.slow),
        pytest.param(datetime(2025, 12, 26, 8, tzinfo=UTC), marks=pytest.mark.slow),
    ],
    ids=["Wednesday", "just after midnight", "after Christmas"],
)
def test_most_wait_for_a_day_or_two_and_some_are_overdue(
    databases: Databases, now: datetime
) -> None:
    with databases.engine("demo") as engine:
        make(engine, now=now)
        waited = [
            business_time.whole_days(application.desk.clock_from, now)
            for application in pending(engine, now)
            if application.status is Status.PENDING
        ]
        with engine.connect() as connection:
            monday = now.date() - timedelta(days=now.weekday())
            period = Window(monday - timedelta(weeks=25), monday)
            weeks = flow_of(connection, period, Grain.WEEK).steps

    overdue = sum(days >= Policy().review_sla_business_days for days in waited)
    assert 0.10 <= overdue / len(waited) <= 0.20
    assert max(waited) <= 8
    arrived = [week.submitted for week in weeks]
    # Twenty-five weeks of slow growth, without an unusual week at the end.
    assert max(arrived[-4:]) <= 1.5 * max(arrived[-12:-4])
    assert sum(arrived[-4:]) <= 1.5 * sum(arrived[-8:-4])


def test_nothing_that_is_set_aside_moves_at_the_next_refresh(desk: Engine) -> None:
    rollups.refresh(desk, now=NOW)

    assert reactions.react_to_refresh(desk, now=NOW) == 0


def test_a_proposal_is_confirmed_by_a_second_person(desk: Engine) -> None:
    waiting = rows(
        desk, "select application_id, proposal_id from review.proposals where closed_as is null"
    )

    for application_id, proposal_id in waiting:
        second_approvals.confirm(
            desk,
            second_approvals.Confirm(
                application_id=application_id,
                proposal_id=proposal_id,
                actor="mira@example.com",
                at=NOW,
                request_id=uuid.uuid4(),
            ),
        )

    made = "select outcome, is_override from review.decisions where decided_at = '{}'"
    assert sorted(rows(desk, made.format(NOW))) == [
        ("approved", True),
        ("approved", True),
        ("rejected", True),
    ]


def test_an_applicants_turn_stops_the_clock_and_an_answer_starts_it(any_size: Engine) -> None:
    query = """
        select d.paused_at = e.at and d.status_at = e.at, o.payload ->> 'message' = e.detail ->> 'message'
            and o.decision_id is null and o.payload ->> 'username' = u.username
        from review.desk d join review.events e using (application_id)
        join review.outbox o using (application_id) join exchange.applications a using (application_id)
        join exchange.accounts u using (account_id)
        where d.status = 'more_info_needed' and e.kind = 'information_requested'"""
    answered = [a for a in pending(any_size) if a.desk.answered_at is not None]

    assert rows(any_size, query) == [(True, True)] * 4
    for application in answered:
        spent = "select at from review.events where application_id = {} order by at limit 1"
        asked_at = one(any_size, spent.format(application.application_id))
        before = business_time.elapsed(application.submitted_at, asked_at)
        since = business_time.elapsed(application.desk.answered_at, NOW)
        assert business_time.elapsed(application.desk.clock_from, NOW) == before + since


def test_the_checklist_is_done_half_done_and_failed(any_size: Engine) -> None:
    answered = rows(
        any_size,
        "select count(*), count(*) filter (where outcome = 'failed') from review.checks"
        " join exchange.applications a using (application_id) where status = 'pending' group by application_id",
    )
    numbers = [number for number, _ in answered]

    assert 9 in numbers
    assert min(numbers) < 7
    assert any(failed for _, failed in answered)


def test_applicants_share_handles_and_a_contact(any_size: Engine) -> None:
    with any_size.connect() as connection:
        shared = [
            how
            for application in pending(any_size)
            for other in duplicates.of(connection, application, now=NOW).shown
            for how in other.how
        ]

    assert sorted(shared) == ["handle looks alike", "same contact", "same handle"]


def test_the_next_holidays_are_known(any_size: Engine) -> None:
    assert rows(any_size, "select day, name from review.holidays order by day") == [
        (date(2026, 5, 1), "Labour Day"),
        (date(2026, 12, 25), "Christmas Day"),
        (date(2026, 12, 26), "Second Day of Christmas"),
        (date(2027, 1, 1), "New Year's Day"),
    ]


def test_views_are_saved_and_two_of_them_shared(any_size: Engine) -> None:
    with any_size.connect() as connection:
        seen = saved_views.listed(connection, viewer="ben@example.com")
        own = saved_views.listed(connection, viewer="ana@example.com")

    assert [(view.name, view.view.narrows) for view in seen] == [
        ("Met, unassigned", True),
        ("Overdue", True),
    ]
    assert [view.name for view in own] == ["Mine, due first", "Met, unassigned", "Overdue"]
    assert seen[1].view == Filters.from_query({"due": "overdue"})


def shapes(engine: Engine, sql: str) -> set[tuple[str, frozenset[str]]]:
    """Return every kind with its JSON keys."""
    return {(kind, frozenset(keys)) for kind, keys in rows(engine, sql)}


def test_events_and_messages_are_as_the_verbs_write_them(desk: Engine) -> None:
    events = "select kind, array(select jsonb_object_keys(detail)) from review.events where event_id {} {}"
    sent = "select payload ->> 'kind', array(select jsonb_object_keys(payload)) from review.outbox where created_at {} '{}'"
    last = one(desk, "select max(event_id) from review.events")

    act_as_the_desk(desk)

    reports = shapes(desk, events.format(">", last))
    sends = shapes(desk, sent.format("=", NOW))
    assert len(reports) == 4
    assert reports <= shapes(desk, events.format("<=", last))
    assert {kind for kind, _ in sends} == {"approved", "rejected"}
    assert sends <= shapes(desk, sent.format("<", NOW))


def act_as_the_desk(engine: Engine) -> None:
    """Run every command whose traces the demo writes as rows, on fresh applications."""
    untouched = (
        "select application_id from exchange.applications a left join review.desk d using (application_id)"
        " where a.status = 'pending' and d.application_id is null order by 1"
    )
    held, *others = (id_ for (id_,) in rows(engine, untouched))
    by = {"actor": "ana@example.com", "now": NOW}
    review_claims.claim(
        engine,
        clicks.command(review_claims.Claim, application_id=held, request_id=uuid.uuid4(), **by),
    )
    below = [id_ for id_ in others if standing(engine, id_).assessment.outcome is Outcome.NOT_MET]
    decide_with_two(engine, below[0])
    shown = standing(engine, below[1]).viewed_facts
    clicks.reject(engine, below[1], shown=shown, rationale="Below.", message="No.", **by)


def decide_with_two(engine: Engine, application_id: int) -> None:
    draft = Draft(
        outcome=Decision.APPROVED,
        rationale="Nearly.",
        message="Yes.",
        rebate_rate=Decimal("0.20"),
        override_reason="It grows.",
    )
    this = {"application_id": application_id, "now": NOW}
    with engine.connect() as conn:
        answered = checklist.answers(conn, application_id)
    checklist.pass_open(
        engine,
        clicks.command(
            checklist.PassOpenChecks,
            items=[item for item in DEFAULT_REQUIRED_CHECKS if item not in answered],
            comment="",
            actor="ana@example.com",
            request_id=uuid.uuid4(),
            **this,
        ),
    )
    shown = standing(engine, application_id).viewed_facts
    proposal_id = clicks.ask_second(engine, application_id, draft=draft, shown=shown, now=NOW)
    second_approvals.confirm(
        engine,
        clicks.command(
            second_approvals.Confirm,
            proposal_id=proposal_id,
            actor="mira@example.com",
            request_id=uuid.uuid4(),
            **this,
        ),
    )


def standing(engine: Engine, application_id: int) -> assessments.AssessedApplication:
    with engine.connect() as connection:
        context = judging.read_context(connection, now=NOW)
        return assessments.read(connection, application_id, context)


def test_some_pending_accounts_were_rejected_before(any_size: Engine) -> None:
    again = (
        "select count(*) from exchange.applications p join exchange.applications r using (account_id) "
        "where p.status = 'pending' and r.status = 'rejected' and r.status_changed_at < p.submitted_at"
    )

    assert one(any_size, again) >= 8


def test_every_address_is_an_example(small: Engine) -> None:
    words = [
        word
        for table in tables.metadata.sorted_tables
        for (word,) in rows(small, f"select t::text from {table.fullname} t")
        if "@" in word or "://" in word
    ]
    addresses = {a for word in words for a in re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", word)}
    hosts = {h for word in words for h in re.findall(r"://([\w.-]+)", word)}

    assert addresses == hosts == {"example.com"}


def test_hostile_handles_wait_in_the_queue(small: Engine) -> None:
    pending = rows(
        small, "select social_handle from exchange.applications where status = 'pending'"
    )

    assert set(names.HOSTILE_HANDLES) <= {handle for (handle,) in pending}


def test_staff_of_every_role_can_sign_in(small: Engine) -> None:
    staff = rows(small, "select email, display_name, role from review.staff where active")

    assert set(staff) == set(names.STAFF)
    assert {role for _, _, role in staff} == {"reviewer", "manager", "analyst", "admin"}
    assert rows(small, "select distinct issuer from review.staff") == [(DEMO_ISSUER,)]


def test_ids_go_on_where_the_demo_ends(desk: Engine) -> None:
    last = one(desk, "select max(note_id) from review.notes")

    with desk.begin() as connection:
        given = connection.execute(
            text(
                "insert into review.notes (application_id, body, author) "
                "values (1, 'hello', 'ana@example.com') returning note_id"
            )
        ).scalar_one()

    assert given == last + 1


def test_a_refresh_finds_a_load_of_every_kind(small: Engine) -> None:
    kinds = rows(small, "select kind from review.loads order by kind")

    assert kinds == [("accounts",), ("activity",), ("applications",), ("referrals",)]


def test_filling_again_does_nothing(small: Engine) -> None:
    before = fingerprint(small)

    report = demo.fill(small, now=datetime.now(UTC), affiliates=SMALL)

    assert report.already_there
    assert str(report).startswith(f"The demo is already there: {SMALL} affiliates")
    assert fingerprint(small) == before


def test_another_demo_beside_the_first_is_refused(small: Engine) -> None:
    with pytest.raises(DatabaseNotEmpty, match=f"made with --affiliates {SMALL} --seed 7"):
        demo.fill(small, now=NOW, affiliates=SMALL, seed=8)


OTHER_DATA = {
    "an account": "insert into exchange.accounts (account_id, username, created_at) values (1, 'a', now())",
    "a referral": "insert into exchange.referrals values (1, 2, now())",
    "staff": "insert into review.staff values ('someone@example.com', 'Someone', 'admin', true)",
    "a holiday": "insert into review.holidays values (date '2026-05-01', 'Labour Day')",
    "a policy": "insert into review.policies (version, effective_from, author) values (2, now(), 'mira')",
}


@pytest.mark.parametrize("sql", OTHER_DATA.values(), ids=OTHER_DATA)
def test_a_database_with_other_data_is_refused_and_left_alone(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        assert demo.is_empty(connection)
        connection.execute(text(sql))
        assert not demo.is_empty(connection)
    before = fingerprint(engine)

    with pytest.raises(DatabaseNotEmpty, match="holds other data"):
        demo.fill(engine, now=NOW, affiliates=SMALL)

    assert fingerprint(engine) == before


@pytest.mark.parametrize("affiliates", [0, plans.MIN_AFFILIATES - 1, 20_001])
def test_a_size_that_cannot_be_made_is_refused(engine: Engine, affiliates: int) -> None:
    with pytest.raises(Invalid, match="The demo takes 20 to 20,000 affiliates"):
        demo.fill(engine, now=NOW, affiliates=affiliates)


def test_the_smallest_demo_still_holds_every_case(tiny: Engine) -> None:
    report = demo.fill(tiny, now=NOW, affiliates=plans.MIN_AFFILIATES)

    assert report.already_there
    assert report.pending == len(plans.CASES)
    assert report.affiliates == 20


def test_progress_counts_every_applicant(small: Engine, reports: list[tuple[int, int]]) -> None:
    assert reports == [(200, 456), (400, 456), (456, 456)]


def test_the_managers_have_gone_through_the_board_and_left_something_to_do(desk: Engine) -> None:
    demo.move_affiliates(desk, now=NOW)
    demo.move_affiliates(desk, now=NOW)  # the second time there is nothing to do

    with desk.connect() as connection:
        counts = board.counts(connection, Policy())
    assert set(counts.by_month) == {month for month, number in counts.by_month.items() if number}
    assert all(counts.by_standing.values())
    # In a small program not every step is due.
    of_them = all if one(desk, "select count(*) from exchange.applications") > 2_000 else any
    assert of_them(counts.by_suggestion.values())
    assert one(desk, "select max(at) from review.affiliate_events") <= NOW
    assert one(desk, "select count(distinct kind) from review.affiliate_events") == 4
    # Every month since the first approval is tested, not only the last six.
    assert one(desk, "select count(distinct month) from review.requalifications") > 6


def test_planted_patterns_are_flagged_and_most_affiliates_are_not(small: Engine) -> None:
    planted = {"R01", "R04", "R07", "R09", "R14", "R16", "R19", "R23", "R26"}
    with small.connect() as conn:
        rows = conn.execute(text("select * from review.risk_measures")).mappings().all()
    risks = [
        judging_of_risk.judge(
            {
                signal.id: Measured(
                    value=row.get(signal.column), sample=row.get(f"{signal.column}_sample")
                )
                for signal in SIGNALS
            },
            {},
        )
        for row in rows
    ]

    high = {r.signal.id for risk in risks for r in risk.flagged if r.severity is Severity.HIGH}
    assert planted <= high
    clear = sum(risk.level is Severity.CLEAR for risk in risks)
    assert clear > len(risks) / 2
    # Users of a demo have no addresses, so nobody's are a family.
    assert all(row["r32"] is None for row in rows if row["r23"] in (None, 0))
