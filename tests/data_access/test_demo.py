"""The demo: lifelike, made up, the same every time, and never on top of other data."""

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, create_engine, text

from data_access import demo, tables
from data_access.demo import names, plans
from data_access.refusals import DatabaseNotEmpty, Invalid
from program.eligibility import Facts, assess
from program.evidence import EvidenceKind, Observation, establish
from program.outcomes import Outcome
from program.policy import Policy
from tests.conftest import CLUSTER

NOW = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)
T = date(2026, 3, 14)
SMALL = 60

# What the window holds for each pending application, counted from the facts alone.
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


@contextmanager
def fresh(server: Engine, template: str) -> Iterator[Engine]:
    name = f"demo_{uuid.uuid4().hex[:12]}"
    with server.connect() as maintenance:
        maintenance.execute(text(f"create database {name} template {template}"))
    made = create_engine(CLUSTER.url(name), connect_args={"options": "-c timezone=UTC"})
    yield made
    made.dispose()
    with server.connect() as maintenance:
        maintenance.execute(text(f"drop database {name}"))


@pytest.fixture(scope="module")
def small(server: Engine, template: str) -> Iterator[Engine]:
    """The smallest demo that most claims can be read from; nobody writes here."""
    with fresh(server, template) as engine:
        demo.fill(engine, now=NOW, affiliates=SMALL)
        yield engine


@pytest.fixture(scope="module")
def whole(server: Engine, template: str) -> Iterator[Engine]:
    """The demo as `make run` makes it; nobody writes here."""
    with fresh(server, template) as engine:
        demo.fill(engine, now=NOW)
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
        }


def test_the_same_seed_and_moment_make_the_same_rows(
    small: Engine, server: Engine, template: str
) -> None:
    with fresh(server, template) as again:
        demo.fill(again, now=NOW, affiliates=SMALL)

        assert fingerprint(again) == fingerprint(small)


def test_another_seed_makes_other_rows(small: Engine, server: Engine, template: str) -> None:
    with fresh(server, template) as other:
        demo.fill(other, now=NOW, affiliates=SMALL, seed=8)
        before, after = fingerprint(small), fingerprint(other)

    kept = {"review.staff", "review.policies"}
    filled = {name for name, digest in before.items() if digest}
    assert {name for name in filled if before[name] == after[name]} == kept


@pytest.mark.parametrize(
    ("now", "through", "first"),
    [
        (datetime(2028, 3, 1, 0, 0, 30, tzinfo=UTC), date(2028, 2, 29), date(2027, 2, 1)),
        (datetime(2026, 1, 1, 23, 59, tzinfo=UTC), date(2025, 12, 31), date(2024, 12, 1)),
    ],
)
def test_activity_ends_yesterday_and_begins_twelve_months_before_its_month(
    engine: Engine, now: datetime, through: date, first: date
) -> None:
    report = demo.fill(engine, now=now, affiliates=SMALL)

    span = "select min(activity_date), max(activity_date) from exchange.referral_activity"
    assert rows(engine, span) == [(first, through)]
    assert report.data_through == through.isoformat()


@pytest.mark.parametrize(
    "moment",
    [
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
    ],
)
def test_nothing_happens_after_now(small: Engine, moment: str) -> None:
    table, column = moment.rsplit(".", 1)

    assert one(small, f"select max({column}) from {table}") <= NOW


def test_counts_are_what_a_desk_of_this_size_sees(whole: Engine) -> None:
    by_status = Counter(
        dict(rows(whole, "select status, count(*) from exchange.applications group by 1"))
    )
    settled = by_status.total() - by_status["pending"]

    assert by_status["pending"] == 130
    assert 310 <= settled <= 340
    assert 0.36 <= by_status["approved"] / settled <= 0.44
    assert 0.50 <= by_status["rejected"] / settled <= 0.58
    assert by_status["withdrawn"] >= 10
    assert 300_000 <= one(whole, "select count(*) from exchange.referral_activity") <= 600_000
    assert one(whole, "select count(distinct country_code) from exchange.accounts") >= 12


def test_the_queue_holds_all_three_answers(whole: Engine) -> None:
    outcomes = Counter(assess(facts, Policy()).outcome for facts in pending_facts(whole))

    assert outcomes[Outcome.MET] == pytest.approx(14, abs=2)
    assert outcomes[Outcome.NOT_MET] == pytest.approx(61, abs=4)
    assert outcomes[Outcome.UNKNOWN] == pytest.approx(55, abs=4)


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


def test_weekends_are_quiet_and_the_program_grows(whole: Engine) -> None:
    weekend, weekday = rows(
        whole,
        "select avg(v) filter (where extract(isodow from d) >= 6), avg(v) filter (where extract(isodow from d) < 6)"
        " from (select activity_date d, sum(volume_usd) v from exchange.referral_activity group by 1) t",
    )[0]
    months = rows(
        whole,
        "select count(distinct referred_account_id) from exchange.referral_activity"
        " where activity_date < '2026-03-01' group by date_trunc('month', activity_date) order by min(activity_date)",
    )

    assert weekend < Decimal("0.8") * weekday
    assert 2 * months[0][0] < months[-1][0]


def test_decisions_are_taken_at_work_and_on_what_the_facts_said(small: Engine) -> None:
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
           or d.outcome <> p.status or decided_at <> p.status_changed_at
           or is_override <> ((snapshot ->> 'outcome' = 'met') <> (d.outcome = 'approved'))"""

    assert one(small, wrong) == 0
    assert set(rows(small, "select distinct decided_by from review.decisions")) == {
        (reviewer,) for reviewer in names.REVIEWERS
    }


def test_every_decision_has_its_event_and_its_delivered_message(small: Engine) -> None:
    lacking = """
        select count(*) from review.decisions d
        left join review.outbox o using (decision_id)
        left join review.events e on (e.detail ->> 'decision_id')::bigint = d.decision_id
        where o.delivered_at is null or e.kind is distinct from d.outcome
           or o.application_id <> d.application_id or e.application_id <> d.application_id"""

    assert one(small, lacking) == 0
    assert one(small, "select count(*) from review.decisions") > 20


def test_some_pending_accounts_were_rejected_before(whole: Engine) -> None:
    again = (
        "select count(*) from exchange.applications p join exchange.applications r using (account_id) "
        "where p.status = 'pending' and r.status = 'rejected' and r.status_changed_at < p.submitted_at"
    )

    assert one(whole, again) >= 20


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


def test_ids_go_on_where_the_demo_ends(engine: Engine) -> None:
    demo.fill(engine, now=NOW, affiliates=SMALL)
    last = one(engine, "select max(note_id) from review.notes")

    with engine.begin() as connection:
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
    assert str(report).startswith("The demo is already there: 60 affiliates")
    assert fingerprint(small) == before


def test_another_demo_beside_the_first_is_refused(small: Engine) -> None:
    with pytest.raises(DatabaseNotEmpty, match="made with --affiliates 60 --seed 7"):
        demo.fill(small, now=NOW, affiliates=SMALL, seed=8)


OTHER_DATA = {
    "an account": "insert into exchange.accounts (account_id, username, created_at) values (1, 'a', now())",
    "a referral": "insert into exchange.referrals values (1, 2, now())",
    "staff": "insert into review.staff values ('someone@example.com', 'Someone', 'admin', true)",
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


def test_the_smallest_demo_still_holds_every_case(engine: Engine) -> None:
    report = demo.fill(engine, now=NOW, affiliates=plans.MIN_AFFILIATES)

    assert report.pending == len(plans.CASES)
    assert report.affiliates == 20


def test_progress_tells_of_every_affiliate(engine: Engine) -> None:
    told: list[tuple[int, int]] = []

    demo.fill(
        engine, now=NOW, affiliates=SMALL, progress=lambda done, total: told.append((done, total))
    )

    assert told == [(50, 60), (60, 60)]
