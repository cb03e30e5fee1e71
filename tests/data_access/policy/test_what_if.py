"""What a draft would change: the same in SQL and Python, and nothing without a change."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text

from data_access.db import tables
from data_access.eligibility import assessments, judging
from data_access.eligibility.judging import METRIC_TYPES, JudgingContext
from data_access.policy import what_if
from program.affiliates.requalification import Step
from program.affiliates.what_if import MOVES, Population, Replay
from program.periods import Window, WindowKind, window
from program.policy import settings as policy_settings
from program.policy import snapshots
from program.policy.eligibility import Facts, assess
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from tests.builders import (
    NOW,
    T,
    add_application,
    add_evidence,
    add_metrics,
    add_policy,
    add_refresh,
)
from tests.cases import examples
from tests.data_access.eligibility.test_judging import case, policies, store

MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN
PRESENT = Policy()
ENDED = {1: "rejected", 2: "approved"}
MARCH = (
    "create table review.affiliate_daily_2026_03 partition of review.affiliate_daily"
    " for values from ('2026-03-01') to ('2026-04-01')"
)
WINDOW = Window(T - timedelta(days=29), T + timedelta(days=1))


def decide(
    conn: Connection,
    application_id: int,
    facts: Facts,
    *,
    outcome: str = "approved",
    policy: Policy = PRESENT,
    rate: str = "0.2",
    **given: Any,
) -> None:
    metrics = snapshots.Metrics(data_through=T, window=WINDOW)
    snapshot = snapshots.take(assess(facts, policy), policy=policy, metrics=metrics)
    conn.execute(
        insert(tables.decisions).values(
            {
                "application_id": application_id,
                "outcome": outcome,
                "reason_code": None if outcome == "approved" else "other",
                "rationale": "Why",
                "message_to_applicant": "",
                "rebate_rate": Decimal(rate) if outcome == "approved" else None,
                "is_override": False,
                "decided_by": "ana@example.com",
                "decided_at": NOW - timedelta(hours=2),
                "policy_version": policy.version,
                "snapshot": snapshot,
                **given,
            }
        )
    )


def moves_of(
    conn: Connection, context: JudgingContext, draft: Policy, population: Population
) -> list[Any]:
    rows = what_if.changers(conn, context, draft, population=population, size=1000)
    return sorted((row.application_id, row.before, row.after) for row in rows)


CASES = 30
FEBRUARY = date(2026, 2, 1)
# Possible values of a metric that is not stored.
ANYTHING = (0, 1, 15, 10**9)
UNHELD = object()
counting = st.fixed_dictionaries(
    {
        "window_kind": st.sampled_from(WindowKind),
        "active_user_min_volume_usd": st.sampled_from([Decimal(0), Decimal(500), Decimal(1000)]),
        "new_user_must_trade": st.booleans(),
    }
)
# An affiliate's figures in the monthly and daily rollups.
held = st.none() | st.fixed_dictionaries(
    {
        "volume_usd": st.sampled_from([0, 20_000_000]),
        "active_users": st.sampled_from([0, 15]),
        "new_users": st.sampled_from([0, 5]),
    }
)
over_1000 = st.sampled_from([0, 15])
whole_case = st.tuples(case, held, held, over_1000)


def refresh_by(conn: Connection, policy: Policy) -> None:
    days = window(policy.window_kind, T)
    conn.execute(
        insert(tables.refreshes).values(
            data_through=T,
            recomputed_from=T,
            policy_version=policy.version,
            window_kind=str(policy.window_kind),
            window_start=days.start,
            window_end=days.end,
            load_id=0,
            refreshed_at=NOW - timedelta(hours=1),
        )
    )


def lay_down(conn: Connection, number: int, one: Any) -> None:
    basic, month, days, over = one
    store(conn, number, basic)
    conn.execute(
        tables.affiliate_window.update()
        .values(users_over_1000_usd=over)
        .where(tables.affiliate_window.c.affiliate_account_id == number)
    )
    blank = {"affiliate_account_id": number, "fees_usd": 0, "trade_count": 1}
    if month:
        conn.execute(insert(tables.affiliate_monthly).values(month=FEBRUARY, **blank, **month))
    if days:
        row = {"day": T, "zero_fee_volume_usd": 0, **blank, **days}
        conn.execute(insert(tables.affiliate_daily).values(row))


def counted_as(policy: Policy, by: Policy, one: Any) -> dict[str, Any]:
    """Return the metrics as ``policy`` counts them, after a refresh under ``by``."""
    basic, month, days, over = one
    kept = {**basic["metrics"], "over": over} if basic["metrics"] else None
    monthly = policy.window_kind is WindowKind.CALENDAR_MONTH
    rolled = month if monthly else days
    alike = policy.window_kind is by.window_kind
    floor, traded = policy.active_user_min_volume_usd, policy.new_user_must_trade
    held = {"volume_usd": (kept if alike else rolled, "volume_usd")}
    if alike and floor == by.active_user_min_volume_usd:
        held["active_users"] = (kept, "active_users")
    elif alike and floor == 1000:
        held["active_users"] = (kept, "over")
    elif monthly and not floor:
        held["active_users"] = (rolled, "active_users")
    if alike and traded == by.new_user_must_trade:
        held["new_users"] = (kept, "new_users")
    elif not traded:
        held["new_users"] = (rolled, "new_users")
    late = basic["seen_after_refresh"]
    unheld = None if late and not kept and not rolled else UNHELD
    found: dict[str, Any] = dict.fromkeys(METRIC_TYPES, unheld)
    return found | {
        key: row[name] if row else None if late else 0 for key, (row, name) in held.items()
    }


def outcome_of(facts: Facts, policy: Policy) -> Outcome | None:
    """Return the outcome if it is the same for all missing values, else ``None``."""
    unheld = [key for key in METRIC_TYPES if getattr(facts, key) is UNHELD]
    tried = [
        replace(facts, **dict(zip(unheld, values, strict=True)))
        for values in product(ANYTHING, repeat=len(unheld))
    ]
    outcomes = {assess(each, policy).outcome for each in tried}
    return outcomes.pop() if len(outcomes) == 1 else None


def compare(
    conn: Connection,
    context: JudgingContext,
    draft: Policy,
    replay: Replay,
    judged: list[tuple[int, Outcome | None, Outcome | None]],
) -> None:
    determined = [(id_, old, new) for id_, old, new in judged if old and new]
    assert dict(replay.moves) == dict(Counter((old, new) for _, old, new in determined))
    assert replay.undetermined == len(judged) - len(determined)
    rows = what_if.changers(conn, context, draft, population=replay.population, size=1000)
    listed = sorted((row.application_id, row.before, row.after) for row in rows)
    assert listed == sorted(one for one in determined if one[1] is not one[2])


@settings(
    max_examples=examples(3, of=5),
    # Report a failing example at once: shrinking would take minutes.
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(
    cases=st.lists(whole_case, min_size=CASES, max_size=CASES),
    present=policies(),
    draft=policies(),
    counts=st.tuples(counting | st.just({}), counting | st.just({})),
    refreshed_by=st.sampled_from([1, 1, 2, None]),
    aged=st.booleans(),
)
def test_sql_and_python_agree_on_any_draft(
    conn: Connection,
    cases: list[Any],
    present: Policy,
    draft: Policy,
    counts: tuple[dict[str, Any], dict[str, Any]],
    refreshed_by: int | None,
    aged: bool,
) -> None:
    """A third of the cases is open, a third rejected, a third approved."""
    days = {} if aged else {"evidence_valid_days": PRESENT.evidence_valid_days}
    present = replace(present, **days, **counts[0])
    draft = replace(draft, version=3, **days, **counts[1])
    by = PRESENT if refreshed_by == 1 else present
    with conn.begin_nested() as savepoint:
        conn.execute(text(MARCH))
        add_policy(conn, present)
        if refreshed_by:
            refresh_by(conn, by)
        for number, one in enumerate(cases, start=1):
            lay_down(conn, number, one)
        context, drafted = (
            replace(judging.read_context(conn, now=NOW), policy=p) for p in (present, draft)
        )
        moved = policy_settings.recounted(present, draft)
        now: list[tuple[int, Outcome | None, Outcome | None]] = []
        then: list[tuple[int, Outcome | None, Outcome | None]] = []
        for id_, one in enumerate(cases, start=1):
            facts = assessments.read(conn, id_, context).facts
            after = assessments.read(conn, id_, drafted).facts
            if refreshed_by:
                new = {key: of for key, of in counted_as(draft, by, one).items() if key in moved}
                after = replace(after, **new)
            now.append((id_, outcome_of(facts, present), outcome_of(after, draft)))
            if id_ % 3:
                # Half of them were decided under version 1.
                made = present if id_ % 2 else PRESENT
                decide(conn, id_, facts, outcome=ENDED[id_ % 3], policy=made)
                then.append(
                    (id_, *(outcome_of(unheld_by(p, made, facts), p) for p in (present, draft)))
                )
        for rest, status in ENDED.items():
            application = tables.applications
            conn.execute(
                application.update()
                .where(application.c.application_id % 3 == rest)
                .values(status=status)
            )

        found = what_if.replay(conn, context, draft).replays

        compare(conn, context, draft, found[Population.OPEN], now[2::3])
        compare(conn, context, draft, found[Population.AFFILIATES], now[1::3])
        if not aged:
            compare(conn, context, draft, found[Population.DECISIONS], then)
        same = what_if.replay(conn, context, replace(present, version=3))
        assert [replay.changed for replay in same.replays.values()] == [0, 0, 0]
        savepoint.rollback()


def unheld_by(policy: Policy, made: Policy, facts: Facts) -> Facts:
    """Return what a decision under ``made`` stores, as ``policy`` counts it."""
    other = policy_settings.recounted(made, policy) & set(METRIC_TYPES)
    return replace(facts, **dict.fromkeys(other, UNHELD))


@pytest.fixture
def small(conn: Connection) -> Connection:
    """Add two open and three decided, two of them approved. Window fees: 1,000 each and 500."""
    add_refresh(conn)
    for id_, status in (
        (1, "pending"),
        (2, "pending"),
        (3, "approved"),
        (4, "approved"),
        (5, "rejected"),
    ):
        add_application(conn, id_, status=status)
    add_metrics(conn, 1, volume=25_000_000, active=20, new=6)
    add_metrics(conn, 3, volume=30_000_000, active=20, new=6, fees=1000)
    add_metrics(conn, 4, volume=19_000_000, active=20, new=6, fees=1000)
    add_metrics(conn, 5, volume=1, active=1, new=1, fees=500)
    met = Facts(volume_usd=Decimal(26_000_000), active_users=20, new_users=6)
    short = Facts(
        volume_usd=Decimal(1),
        active_users=1,
        new_users=1,
        x_followers=1,
        external_volume_usd=Decimal(1),
    )
    decide(conn, 3, met, rate="0.30")
    decide(conn, 4, met, rate="0.15")
    decide(conn, 5, short, outcome="rejected")
    return conn


def test_a_small_program_worked_out_by_hand(small: Connection) -> None:
    context = judging.read_context(small, now=NOW)
    draft = replace(
        PRESENT,
        min_volume_usd=Decimal(28_000_000),
        standard_rebate_rate=Decimal("0.20"),
        max_rebate_rate=Decimal("0.25"),
        second_approval_monthly_extra_usd=Decimal(100),
    )

    found = what_if.replay(small, context, draft)

    # 1, met by 25 M, is below 28 M; its reach has no evidence, so it becomes unknown.
    assert dict(found.replays[Population.OPEN].moves) == {(MET, UNKNOWN): 1, (UNKNOWN, UNKNOWN): 1}
    # Both approvals were made at 26 M; the rejection is below every minimum either way.
    assert dict(found.replays[Population.DECISIONS].moves) == {
        (MET, UNKNOWN): 2,
        (NOT_MET, NOT_MET): 1,
    }
    # 3 has 30 M today and stays; 4 has 19 M today and was already not met.
    assert dict(found.replays[Population.AFFILIATES].moves) == {
        (MET, MET): 1,
        (UNKNOWN, UNKNOWN): 1,
    }
    assert (found.decided.total, found.decided.met) == (3, (2, 0))
    assert found.decided.overrides == (0, 2)
    assert found.decided.met_rates == (Decimal(2) / 3, Decimal(0))
    costs = found.rebates
    # Only 3, at 30 %, is above 25 %: 5 % of 1,000.
    assert (costs.above_most, costs.over_usd) == ((0, 1), (Decimal(0), Decimal(50)))
    # Above standard, 3 costs 200 now and 100 then; the thresholds are 10,000 and 100.
    assert costs.costly == (0, 1)
    # 3: 300 either way. 4: 150 at its 15 %, and 200 once the standard is 20 %. 5: 50, then 100.
    assert costs.granted_usd == (Decimal(450), Decimal(500))
    assert costs.standard_usd == (Decimal(50), Decimal(100))
    assert costs.difference_usd == Decimal(100)


def test_the_latest_current_approval_counts_and_suspended_affiliates_are_at_standard(
    small: Connection,
) -> None:
    """Account 3 has fees of 1,000 at 30 %, 4 the same at 15 %; 5 has 500 and no approval."""
    met = Facts(volume_usd=Decimal(26_000_000), active_users=20, new_users=6)
    # Higher numbers, but decided earlier, reopened, or approved only upstream.
    for id_, status in ((11, "approved"), (12, "pending"), (13, "approved")):
        add_application(small, id_, account_id=3, status=status)
    decide(small, 11, met, rate="0.50", decided_at=NOW - timedelta(days=9))
    decide(small, 12, met, rate="0.40", decided_at=NOW - timedelta(hours=1))
    add_application(small, 14, status="approved")
    context = judging.read_context(small, now=NOW)
    draft = replace(PRESENT, min_volume_usd=Decimal(31_000_000))

    def costs(status: str, since: timedelta) -> tuple[Any, ...]:
        standing = {"account_id": 3, "status": status, "since": NOW - since}
        given = {"changed_by": "mira@example.com", "reason_code": "other", "reason": "Why"}
        with small.begin_nested() as savepoint:
            small.execute(insert(tables.affiliate_standings).values(**standing, **given, misses=0))
            found = what_if.replay(small, context, draft).rebates
            savepoint.rollback()
        assert found.granted_usd
        assert found.standard_usd
        return found.affiliates, found.at_standard, found.granted_usd[0], found.standard_usd[0]

    assert moves_of(small, context, draft, Population.AFFILIATES) == [(3, MET, UNKNOWN)]
    assert costs("on_notice", timedelta(hours=1)) == (2, 0, 450, 50)
    # The approval, two hours ago, ended earlier standings.
    assert costs("suspended", timedelta(hours=3)) == (2, 0, 450, 50)
    assert costs("suspended", timedelta(hours=1)) == (2, 1, 150, 150)
    assert costs("terminated", timedelta(hours=2)) == (2, 1, 150, 150)


def test_the_list_has_as_many_as_the_count_on_its_pages_and_either_way(small: Connection) -> None:
    context = judging.read_context(small, now=NOW)
    draft = replace(PRESENT, min_volume_usd=Decimal(28_000_000))
    pages = [
        what_if.changers(small, context, draft, population=Population.DECISIONS, page=page, size=1)
        for page in (1, 2, 3)
    ]

    assert [[row.application_id for row in page] for page in pages] == [[4], [3], []]
    assert pages[0][0].values["volume_usd"] == Decimal(26_000_000)
    other_way = [(after, before) for before, after in MOVES if (before, after) == (MET, UNKNOWN)]
    assert (
        what_if.changers(small, context, draft, population=Population.DECISIONS, moves=other_way)
        == []
    )


def test_another_validity_of_evidence_is_replayed_from_the_evidence(conn: Connection) -> None:
    add_refresh(conn)
    for id_, days in ((1, 20), (2, 60), (3, 120)):
        add_application(conn, id_, status="approved")
        seen = NOW - timedelta(days=days)
        add_evidence(conn, id_, observed_at=seen, recorded_at=seen)
        followers = 6000 if days <= 90 else None
        decide(conn, id_, Facts(x_followers=followers))
    add_evidence(conn, 3, observed_at=NOW - timedelta(days=1), recorded_at=NOW)
    context = judging.read_context(conn, now=NOW)

    def judged(days: int) -> list[Any]:
        draft = replace(PRESENT, evidence_valid_days=days)
        return moves_of(conn, context, draft, Population.DECISIONS)

    assert judged(30) == [(2, MET, UNKNOWN)]
    assert judged(90) == []
    # The newest was recorded after the decision, so the older one counts: 119 days before T.
    assert judged(118) == []
    assert judged(119) == [(3, UNKNOWN, MET)]


def test_a_calendar_month_comes_from_the_months_and_other_floors_are_not_made_up(
    conn: Connection,
) -> None:
    add_refresh(conn)
    for id_ in (1, 2):
        add_application(conn, id_)
        add_metrics(conn, id_, volume=25_000_000, active=20, new=6)
    decided = Facts(volume_usd=Decimal(25_000_000), active_users=20, new_users=6)
    decide(conn, 1, decided)
    conn.execute(
        insert(tables.affiliate_monthly).values(
            affiliate_account_id=1,
            month=date(2026, 2, 1),
            volume_usd=30_000_000,
            fees_usd=0,
            trade_count=1,
            active_users=20,
            new_users=6,
        )
    )
    context = judging.read_context(conn, now=NOW)

    month = what_if.replay(conn, context, replace(PRESENT, window_kind=WindowKind.CALENDAR_MONTH))
    # Without a row for February there were no referrals: volume 0, and reach is still unknown.
    assert dict(month.replays[Population.OPEN].moves) == {(MET, MET): 1, (MET, UNKNOWN): 1}
    assert month.replays[Population.OPEN].undetermined == 0
    # Decisions store no figures by calendar month.
    assert month.replays[Population.DECISIONS].undetermined == 1
    assert len(month.gaps) == 3

    floor = replace(PRESENT, active_user_min_volume_usd=Decimal(500))
    found = what_if.replay(conn, context, floor)
    assert found.replays[Population.OPEN].undetermined == 2
    assert "active users" in found.gaps[0]
    # If another criterion decides, the result is known anyway.
    strict = what_if.replay(conn, context, replace(floor, min_volume_usd=Decimal(10**9)))
    assert dict(strict.replays[Population.OPEN].moves) == {(MET, UNKNOWN): 2}
    assert strict.gaps == ()
    # The rollup counts users from 1,000 USD, so this floor is exact: nobody has any.
    kept = what_if.replay(conn, context, replace(PRESENT, active_user_min_volume_usd=Decimal(1000)))
    assert dict(kept.replays[Population.OPEN].moves) == {(MET, UNKNOWN): 2}


@pytest.mark.parametrize(
    ("drafted", "what", "outcome"),
    [
        ({"new_user_must_trade": True}, {"volume": 19_999_999}, UNKNOWN),
        ({"new_user_must_trade": True}, {"volume": 20_000_000}, None),
        ({"new_user_must_trade": True, "min_new_users": 0}, {"volume": 20_000_000}, MET),
        ({"window_kind": WindowKind.CALENDAR_MONTH, "min_x_followers": 4_000}, {}, UNKNOWN),
    ],
)
def test_an_uncountable_value_is_unknown_and_only_those_that_depend_on_it_are_not_replayed(
    conn: Connection, drafted: dict[str, Any], what: dict[str, Any], outcome: Outcome | None
) -> None:
    """No evidence of reach. Without metrics nothing is known by days or months."""
    if what:
        add_refresh(conn)
        add_metrics(conn, 1, active=15, new=5, **what)
    add_application(conn, 1)
    context = judging.read_context(conn, now=NOW)

    replay = what_if.replay(conn, context, replace(PRESENT, **drafted)).replays[Population.OPEN]

    found = [new for (_, new), number in replay.moves.items() if number]
    assert (found, replay.undetermined) == (([], 1) if outcome is None else ([outcome], 0))


def test_trailing_days_come_from_the_days_but_not_their_distinct_users(conn: Connection) -> None:
    monthly = replace(PRESENT, version=2, window_kind=WindowKind.CALENDAR_MONTH)
    add_policy(conn, monthly)
    refresh_by(conn, monthly)
    add_application(conn, 1)
    add_evidence(conn, 1, value=1)
    add_evidence(conn, 1, kind="external_volume", value=1, exchange_name="ExA")
    for id_ in (1, 2):
        add_metrics(conn, id_, volume=25_000_000, active=20, new=6)
    add_application(conn, 2)
    conn.execute(text(MARCH))
    conn.execute(
        insert(tables.affiliate_daily).values(
            affiliate_account_id=2,
            day=T,
            volume_usd=20_000_000,
            fees_usd=0,
            trade_count=1,
            zero_fee_volume_usd=0,
            active_users=15,
            new_users=5,
        )
    )
    context = judging.read_context(conn, now=NOW)

    found = what_if.replay(conn, context, replace(PRESENT, version=3))

    # 1 has no volume in the last thirty days, so users do not matter. 2 has enough volume and new
    # users, so its distinct users decide, and no rollup holds them.
    assert dict(found.replays[Population.OPEN].moves) == {(MET, NOT_MET): 1}
    assert found.replays[Population.OPEN].undetermined == 1
    assert ["active users" in sentence for sentence in found.gaps] == [True]


def test_every_changed_setting_is_replayed_or_named(small: Connection) -> None:
    context = judging.read_context(small, now=NOW)
    account = {"account_id": 3, "application_id": 3, "approved_at": NOW - timedelta(days=300)}
    tested = {"month": FEBRUARY, "outcome": "not_met", "near": False, "volume_usd": 1}
    decision_id = small.execute(text("select min(decision_id) from review.decisions")).scalar_one()
    small.execute(
        insert(tables.affiliate_tested).values(
            **account, **tested, missed=[FEBRUARY], decision_id=decision_id
        )
    )

    misses = what_if.replay(small, context, replace(PRESENT, requalification_misses=1))
    assert misses.suggested is not None
    steps = (Step.SUSPEND, Step.PUT_ON_NOTICE)
    assert [[side[step] for step in steps] for side in misses.suggested] == [[0, 1], [1, 0]]
    longer = what_if.replay(small, context, replace(PRESENT, requalification_protection_months=24))
    assert longer.suggested is not None
    assert [[side[step] for step in steps] for side in longer.suggested] == [[0, 1], [0, 0]]
    # Both open ones came on a Tuesday, three business days ago.
    longer = what_if.replay(small, context, replace(PRESENT, review_sla_business_days=4))
    assert (longer.overdue, longer.suggested, longer.gaps) == ((2, 0), None, ())

    unreplayed = {"requalification_silent": False, "claim_idle_minutes": 5, "required_checks": ()}
    gaps = what_if.replay(small, context, replace(PRESENT, **unreplayed)).gaps
    labels = ("A claim expires after", "Silent", "Required before an approval")
    assert [label in words for label, words in zip(labels, gaps, strict=True)] == [True] * 3


def test_costs_of_leaving_and_joining_met(small: Connection) -> None:
    context = judging.read_context(small, now=NOW)
    # 3, with 30 M and fees of 1,000 at 30 %, leaves: 10 % of them are above the draft's standard.
    strict = replace(
        PRESENT, min_volume_usd=Decimal(31_000_000), standard_rebate_rate=Decimal("0.2")
    )
    found = what_if.replay(small, context, strict).rebates
    assert (found.leaving_usd, found.joining_usd) == (Decimal(100), Decimal(0))
    # 1, with 19 M and fees of 400, joins: 50 % instead of 10 %.
    row = tables.affiliate_window
    small.execute(
        row.update()
        .where(row.c.affiliate_account_id == 1)
        .values(fees_usd=400, volume_usd=19_000_000)
    )
    easy = replace(PRESENT, min_volume_usd=Decimal(19_000_000))
    found = what_if.replay(small, context, easy).rebates
    assert (found.leaving_usd, found.joining_usd) == (Decimal(0), Decimal(160))


def test_an_empty_database_has_no_changers(conn: Connection) -> None:
    context = judging.read_context(conn, now=NOW)

    found = what_if.replay(conn, context, replace(PRESENT, min_new_users=6))

    assert [replay.total for replay in found.replays.values()] == [0, 0, 0]
    assert found.decided.met_rates is None
    assert found.rebates.difference_usd is None


def test_old_decisions_keep_their_own_version(small: Connection) -> None:
    add_policy(
        small, replace(PRESENT, version=2, min_volume_usd=Decimal(28_000_000), effective_from=NOW)
    )

    kept = small.execute(tables.decisions.select()).all()

    assert {row.policy_version for row in kept} == {1}
    assert {row.snapshot["criteria"][0]["minimum"] for row in kept} == {"20000000.00"}
    context = judging.read_context(small, now=NOW)
    assert context.policy.version == 2
    # Minimums are only compared, so the queue uses the new ones at once.
    assert context.freshness is not None
    assert policy_settings.recounted(PRESENT, context.policy) == frozenset()


def test_a_decision_made_by_another_count_than_the_present_is_not_made_up(
    small: Connection,
) -> None:
    monthly = replace(PRESENT, version=2, window_kind=WindowKind.CALENDAR_MONTH, effective_from=NOW)
    add_policy(small, monthly)
    context = judging.read_context(small, now=NOW)

    found = what_if.replay(small, context, replace(monthly, min_volume_usd=Decimal(1)))

    assert found.replays[Population.DECISIONS].undetermined == 3
    assert found.decided.total == 0
