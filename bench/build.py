"""Generate facts in SQL: the same numbers in every build, drawn from hashes of ids.

Every attribute is drawn with its own salt, so that they are independent.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import Engine, text

from bench import database
from data_access.db.embedded import Cluster
from program.periods import ONE_DAY, Window, month_start, months_later, utc_day

SESSION = """
set synchronous_commit = off;
set work_mem = '1GB';
set hash_mem_multiplier = 1;
set maintenance_work_mem = '1GB';
set max_parallel_workers_per_gather = 0;
set max_parallel_maintenance_workers = 0;
"""

# ``bench.draw(id, salt)`` is uniform in [0, 1) and independent between salts.
DRAW = """
create schema bench;
create function bench.draw(id bigint, salt bigint) returns float8
    language sql immutable parallel safe
    return ((hashint8extended(id, salt) >> 11) & x'fffffffffffff'::bigint) / 4503599627370496.0::float8;
create function bench.pick(id bigint, salt bigint, choices text[]) returns text
    language sql immutable parallel safe
    return choices[1 + floor(bench.draw(id, salt) * cardinality(choices))::int];
"""

COUNTRIES = "'{DE,FR,GB,US,BR,TR,VN,IN,ID,NG,KR,JP,UA,PL,ES,IT,MX,AR}'"
PLATFORMS = "'{x,youtube,telegram,tiktok,instagram}'"
CONTACTS = "'{telegram,email,discord,whatsapp}'"
REASONS = "'{below_minimums,evidence_missing,account_not_in_order,audience_not_genuine,other}'"

ACCOUNTS = f"""
insert into exchange.accounts
select id, 'trader' || id, 'trader' || id || '@example.org',
       bench.pick(id, 101, {COUNTRIES}),
       case when draw < 0.90 then 'verified' when draw < 0.95 then 'pending'
            when draw < 0.98 then 'none' else 'rejected' end,
       opened, opened
from (select id, bench.draw(id, 102) as draw,
             timestamptz :now - interval '1 day' * (1 + 2500 * bench.draw(id, 103)) as opened
      from generate_series(1, :accounts) as id) as drawn;
"""

# Every tenth account is an affiliate; three in five pending applications are from affiliates.
APPLICATIONS = f"""
create temp table draft as
select account_id, 'pending' as status,
       timestamptz :now - interval '1 day' * 180 * power(bench.draw(account_id, 201), 2) as submitted_at
from (select account_id, row_number() over (
                 partition by account_id % 10 = 4 order by bench.draw(account_id, 202)) as place
      from exchange.accounts) as ranked
where place <= case when account_id % 10 = 4 then :pending * 3 / 5 else :pending * 2 / 5 end
union all
select 1 + floor(bench.draw(n, 203) * :accounts)::bigint,
       case when bench.draw(n, 204) < 0.35 then 'approved'
            when bench.draw(n, 204) < 0.80 then 'rejected' else 'withdrawn' end,
       timestamptz :now - interval '1 day' * (12 + 1814 * bench.draw(n, 205))
from generate_series(1, :accounts - :pending) as n;

insert into exchange.applications
select id, account_id,
       bench.pick(id, 301, {PLATFORMS}), '@creator' || account_id,
       bench.pick(id, 302, {CONTACTS}), 'contact' || account_id,
       submitted_at, status,
       case when status <> 'pending'
            then submitted_at + interval '1 day' * 10 * bench.draw(id, 303) end
from (select row_number() over (order by submitted_at, account_id) as id, * from draft) as numbered;
drop table draft;
select setval(pg_get_serial_sequence('exchange.applications', 'application_id'), :accounts);
"""

STAFF = """
insert into review.staff (email, display_name, role)
select 'reviewer' || n || '@example.org', 'Reviewer ' || n, 'reviewer' from generate_series(1, 8) as n
union all values ('manager@example.org', 'Manager', 'manager'), ('analyst@example.org', 'Analyst', 'analyst');
"""

DECISIONS = f"""
insert into review.decisions (application_id, outcome, reason_code, rationale, rebate_rate,
    is_override, decided_by, decided_at, policy_version, snapshot)
select application_id, status,
       case when status = 'rejected' then bench.pick(application_id, 401, {REASONS}) end,
       'Looked at the account, its referrals and the evidence.',
       case when status = 'approved' then 0.15 + 0.05 * floor(bench.draw(application_id, 402) * 6)::int end,
       bench.draw(application_id, 403) < 0.02,
       'reviewer' || 1 + floor(bench.draw(application_id, 404) * 8)::int || '@example.org',
       status_changed_at, 1,
       jsonb_build_object(
           'data_through', (status_changed_at at time zone 'UTC')::date - 1,
           'window', jsonb_build_object(
               'kind', 'trailing_30_days',
               'start', (status_changed_at at time zone 'UTC')::date - 30,
               'end', (status_changed_at at time zone 'UTC')::date - 1),
           'policy_version', 1,
           'criteria', '[
               {{"key": "volume_usd", "value": "31200000.00", "minimum": "20000000.00", "comparison": "at least", "outcome": "met"}},
               {{"key": "active_users", "value": "41", "minimum": "15", "comparison": "at least", "outcome": "met"}},
               {{"key": "new_users", "value": "9", "minimum": "5", "comparison": "at least", "outcome": "met"}},
               {{"key": "x_followers", "value": null, "minimum": "5000", "comparison": "more than", "outcome": "unknown"}},
               {{"key": "external_volume_usd", "value": null, "minimum": "20000000.00", "comparison": "at least", "outcome": "unknown"}}]'::jsonb,
           'tracks', '{{"on_exchange": "met", "external": "unknown"}}'::jsonb,
           'outcome', 'met', 'track', 'on_exchange',
           'risk_signals', '[]'::jsonb, 'evidence_ids', '[]'::jsonb, 'checklist', '{{}}'::jsonb)
from exchange.applications where status in ('approved', 'rejected') order by status_changed_at;
"""

# Half of the pending ones have evidence; about one in seven of those meets the external track.
EVIDENCE = """
insert into review.evidence (application_id, kind, value, exchange_name, source_url, method,
    observed_at, recorded_by, recorded_at)
select application_id, kind, value, exchange_name, 'https://example.org/proof/' || application_id,
       method, at, 'reviewer1@example.org', at
from (
    select application_id, 'x_followers' as kind,
           floor(5000 * power(10, (bench.draw(application_id, 501) - 0.91) * 3)) as value,
           null as exchange_name, 'profile_page' as method,
           timestamptz :now - interval '1 day' * 85 * bench.draw(application_id, 502) as at
    from exchange.applications
    where status = 'pending' and bench.draw(application_id, 503) < 0.45
    union all
    select application_id, 'external_volume',
           round((20000000 * power(10, (bench.draw(application_id, 504) - 0.80) * 3))::numeric, 2),
           bench.pick(application_id, 505, '{Northex,Bluefin,Kite}'), 'statement',
           timestamptz :now - interval '1 day' * 85 * bench.draw(application_id, 506)
    from exchange.applications
    where status = 'pending' and bench.draw(application_id, 503) between 0.30 and 0.52
    union all
    select application_id, 'x_followers', floor(9000 * bench.draw(application_id, 507)), null,
           'profile_page', status_changed_at
    from exchange.applications
    where status <> 'pending' and bench.draw(application_id, 508) < 0.10
) as drawn;
"""

WORDS = """
insert into review.notes (application_id, body, author, created_at)
select application_id, 'Asked a colleague about this one.', 'reviewer2@example.org', submitted_at + interval '1 hour'
from exchange.applications where bench.draw(application_id, 601) < 0.02;
insert into review.events (application_id, kind, actor, at, detail)
select application_id, 'claimed', who, submitted_at + interval '2 hours', jsonb_build_object('to', who)
from (select application_id, submitted_at,
             'reviewer' || 1 + floor(bench.draw(application_id, 602) * 8)::int || '@example.org' as who
      from exchange.applications where status = 'pending' and bench.draw(application_id, 603) < 0.25) as drawn;
"""

REFERRED_OVER_DAYS = 730
# Few affiliates have very many referrals and most have few; more of them are recent.
REFERRALS = f"""
insert into exchange.referrals
select 4 + 10 * ((rank * 7919) % :affiliates), id,
       timestamptz :now - interval '1 day' * {REFERRED_OVER_DAYS} * power(bench.draw(id, 701), 2)
from (select id, floor(:affiliates * power(bench.draw(id, 702), 2.5))::bigint as rank
      from generate_series(1, :referrals) as id) as drawn;
"""

# A user of a month trades on some of its days, spread by a stride that 31 does not divide.
ACTIVITY = """
insert into exchange.{partition}
select affiliate_account_id, referred_account_id, day,
       cents * 0.01,
       case when luck < 0.03 then 0 when luck < 0.04 then -0.5 else cents * 0.000005 end,
       1 + floor(luck * 20)::int
from (
    select affiliate_account_id, referred_account_id, date '{start}' + slot as day,
           bench.draw(key, 801 + slot) as luck,
           case when bench.draw(key, 901 + slot) < 0.01 then 0
                else power(10, 5.2 + 3.5 * bench.draw(key, 851 + slot))::bigint end as cents
    from (
        select affiliate_account_id, referred_account_id,
               (referred_at at time zone 'UTC')::date as since,
               referred_account_id * 40 + {month} as key
        from exchange.referrals where referred_at < timestamptz '{end} 00:00Z'
    ) as users
    cross join lateral (
        select (floor(bench.draw(key, 1001) * 31)::int
                + k * (1 + floor(bench.draw(key, 1002) * 30)::int)) % 31 as slot
        from generate_series(1, (case when bench.draw(key, 1003) < {share}
                                      then ceil({most:.3f} * power(bench.draw(key, 1004), 2)) end)::int) as k
    ) as slots
    where slot < {days} and date '{start}' + slot >= since
) as drawn
order by day, affiliate_account_id, referred_account_id
"""
TRADING_SHARE = 0.6
ROWS_A_DAY = 127_000


@dataclass(frozen=True, kw_only=True)
class Size:
    """Row counts; ``through`` is the last day with activity."""

    scale: float
    through: date

    @classmethod
    def as_of(cls, scale: float, now: datetime) -> "Size":
        """Return the size whose newest day is yesterday."""
        return cls(scale=scale, through=utc_day(now) - ONE_DAY)

    @property
    def parameters(self) -> dict[str, object]:
        """Return row counts and the time as of which the data are made."""
        accounts = int(1_000_000 * self.scale)
        return {
            "accounts": accounts,
            "affiliates": accounts // 10,
            "referrals": accounts * 2,
            "pending": accounts // 50,
            "now": f"{self.through + timedelta(days=1)} 00:00Z",
        }

    @property
    def months(self) -> list[Window]:
        """Return the 365 days that end with ``through``, split by calendar month."""
        end = self.through + timedelta(days=1)
        start = end - timedelta(days=365)
        firsts = [month_start(start)]
        while firsts[-1] < end:
            firsts.append(months_later(firsts[-1], 1))
        return [Window(max(start, first), min(end, after)) for first, after in pairwise(firsts)]


# Of the pending ones, a tenth are claimed, some of those expired, and a twelfth are set aside.
DESK = """
insert into review.desk (application_id, status, status_at, assignee, claimed_at, claim_until,
    paused_at, answered_at, deferred_until)
select application_id, status, timestamptz :now, assignee,
       case when assignee is not null then timestamptz :now end,
       case when assignee is not null and hold < 0.9
            then timestamptz :now + interval '1 day' * (hold - 0.1) end,
       case when status = 'more_info_needed' then timestamptz :now - interval '2 days' end,
       case when status = 'pending' and hold < 0.1 then timestamptz :now end,
       case when status = 'deferred' then timestamptz :now + interval '5 days' * (hold + 0.1) end
from (
    select application_id, bench.draw(application_id, 602) as hold,
           case when bench.draw(application_id, 601) < 0.10
                then 'reviewer' || (1 + floor(bench.draw(application_id, 603) * 5)) || '@example.org' end as assignee,
           case when bench.draw(application_id, 604) < 0.04 then 'more_info_needed'
                when bench.draw(application_id, 604) < 0.08 then 'deferred'
                else 'pending' end as status
    from exchange.applications
    where status = 'pending' and bench.draw(application_id, 600) < 0.4
) as touched
"""


def build(size: Size, *, name: str = database.NAME, cluster: Cluster | None = None) -> Engine:
    """Rebuild the bench database at ``size`` and return an engine for it."""
    engine = database.recreate(name, cluster=cluster)
    began = time.monotonic()
    _run(engine, size, "draws", [DRAW])
    with ThreadPoolExecutor(2) as pool:
        people = pool.submit(_people, engine, size)
        _referrals(engine, size)
        for done in [people, *[pool.submit(_activity, engine, size, m) for m in size.months]]:
            done.result()
    _say("vacuum", began)
    database.vacuum(engine)
    database.mark_built(engine, note=f"built at scale {size.scale} through {size.through}")
    _say("all", began)
    return engine


def _people(engine: Engine, size: Size) -> None:
    steps = [ACCOUNTS, APPLICATIONS, STAFF, DECISIONS, EVIDENCE, WORDS, DESK]
    _run(engine, size, "accounts, applications and judgments", steps)


def _referrals(engine: Engine, size: Size) -> None:
    keys = _set_aside(engine, "exchange.referrals")
    _run(engine, size, "referrals", [REFERRALS, *keys, "analyze exchange.referrals"])


def _set_aside(engine: Engine, table: str) -> list[str]:
    """Drop the keys of ``table`` and return the statements that restore them."""
    with engine.begin() as connection:
        keys = connection.execute(
            text(
                "select conname, pg_get_constraintdef(oid) from pg_constraint "
                "where conrelid = cast(:table as regclass) and contype in ('p', 'u')"
            ),
            {"table": table},
        ).all()
        for key, _ in keys:
            connection.execute(text(f"alter table {table} drop constraint {key}"))
    return [f"alter table {table} add constraint {key} {definition}" for key, definition in keys]


def _most_days(size: Size, month: Window) -> float:
    """Return the most days a user trades in ``month``, so that all days have similar row counts.

    Earlier months have fewer users, so each of them trades on more days.
    """
    age = (size.through - month.start).days - month.days / 2
    users = 2_000_000 * (1 - (max(age, 0) / REFERRED_OVER_DAYS) ** 0.5)
    days_each = ROWS_A_DAY * 31 / (users * TRADING_SHARE)
    return min(31.0, 3 * (days_each - 0.5))


def _activity(engine: Engine, size: Size, month: Window) -> None:
    """Create one month's partition: filled by day, then indexed, then attached."""
    first, after = month_start(month.start), months_later(month_start(month.start), 1)
    partition = f"referral_activity_{first:%Y_%m}"
    fill = ACTIVITY.format(
        partition=partition,
        start=month.start,
        end=month.end,
        days=month.days,
        month=first.year * 12 + first.month,
        share=TRADING_SHARE,
        most=_most_days(size, month),
    )
    steps = [
        f"create table exchange.{partition} (like exchange.referral_activity including constraints)",
        fill,
        f"alter table exchange.{partition} add primary key (affiliate_account_id, activity_date, referred_account_id) include (volume_usd, fees_usd, trade_count)",
        f"alter table exchange.referral_activity attach partition exchange.{partition} for values from ('{first}') to ('{after}')",
    ]
    _run(engine, None, partition, steps)


def _run(engine: Engine, size: Size | None, what: str, steps: Iterable[str]) -> None:
    began = time.monotonic()
    values = size.parameters if size else {}
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(SESSION)
        for step in steps:
            for name, value in values.items():
                step = step.replace(f":{name}", f"'{value}'" if name == "now" else str(value))
            cursor.execute(step)
    _say(what, began)


def _say(what: str, began: float) -> None:
    print(f"{what:<40} {time.monotonic() - began:7.1f} s", flush=True)
