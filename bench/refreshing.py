"""Refreshing the rollups, compared with the plainest SQL for the same tables."""

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from bench.database import taking_back
from bench.facts import moment, newest_day
from bench.measurements import Measurement
from data_access import rollups
from data_access.eligibility import policies
from data_access.eligibility.judging import METRIC_TYPES
from data_access.risk import measuring
from data_access.risk.frame import Whose
from program.affiliates.cohorts import COHORTS, COLLAPSES
from program.affiliates.requalification import MONTHS_KEPT, clearly, nearly
from program.periods import ONE_DAY, WindowKind, month_start, months_later, window
from program.policy.criteria import CRITERIA
from program.policy.policy import Policy

PLAIN_ROLLUPS = Path(__file__).with_name("plain_rollups.sql").read_text()
# What several statements of it repeat.
COUNTS = """
       count(*) as number, count(touched_day) as touched, count(decided_day) as decided,
       count(*) filter (where decided_day is not null and status = 'approved') as approved,
       count(*) filter (where is_override) as overrides, count(active_since) as active,
       count(*) filter (where in_time) as in_time, count(*) filter (where not in_time) as late,
       string_agg(int4send(wait), ''::bytea) as waits"""
MET = """
    volume_usd {at_least} {volume_usd} and active_users {at_least} {active_users}
    and new_users {at_least} {new_users}
    or x_followers {more_than} {x_followers}
    or external_volume_usd {at_least} {external_volume_usd}"""
OUTCOME = "case when truth then 'met' when not truth then 'not_met' else 'unknown' end"
KNOWN = """
    case when missing_days = 0 or missing_days < days and found_{0} >= {1}
         then found_{0} end as {0}"""
# Ours, and the same computed plainly: every column of the plain one must agree.
SAME = {
    "affiliate_daily": "daily",
    "affiliate_monthly": "monthly",
    "affiliate_window": "window",
    "affiliate_segments": "segments",
    "segment_daily": "segment_daily",
    "segment_monthly": "segment_monthly",
    "program_monthly": "program_monthly",
    "month_leaders": "month_leaders",
    "referral_cohorts": "referral_cohorts",
    "application_courses": "courses",
    "work_daily": "work_daily",
    "work_monthly": "work_monthly",
    "requalifications": "tests",
    "affiliate_tested": "tested",
    "affiliate_counts": "tested_counts",
    "affiliate_outcomes": "outcomes",
    "outcome_counts": "outcome_counts",
}
# Of the largest, one affiliate in so many is compared.
SAMPLED = {"affiliate_daily": 50}
ON_THE_WAY = ("month_users", "decisions", "approvals", "delivered", "recent")
# Waiting times are stored in any order.
COMPARED_AS = {"waits": "length(waits)"}
DIFFERENT = """
select count(*) from (
    ({one} except all {other}) union all ({other} except all {one})) as different
"""


def forget_rollups(engine: Engine) -> None:
    """Empty the rollups, ours and the plain ones."""
    forget_plain_rollups(engine)
    with taking_back(engine, "requalifications") as connection:
        parts = connection.execute(
            text(
                "select inhrelid::regclass::text from pg_inherits where inhparent = 'review.affiliate_daily'::regclass"
            )
        ).scalars()
        for part in parts.all():
            connection.execute(text(f"drop table {part}"))
        emptied = ", ".join(f"review.{name}" for name in SAME if name != "affiliate_daily")
        connection.execute(
            text(
                f"truncate {emptied}, review.refreshes, review.work_counted, review.carried,"
                " review.carried_sums, review.carried_users, review.carried_cohorts"
            )
        )


def forget_plain_rollups(engine: Engine) -> None:
    """Drop the plain rollups."""
    with engine.begin() as connection:
        for name in (*SAME.values(), *ON_THE_WAY):
            connection.execute(text(f"drop table if exists bench.{name}"))


def refresh_all(engine: Engine) -> None:
    """Run a first refresh."""
    rollups.refresh(engine, now=moment(engine), risk=None)


def refresh_all_plainly(engine: Engine) -> None:
    """Compute the same tables by one `create table as` each."""
    with engine.begin() as connection:
        policy = policies.in_force(connection, now=moment(engine))
        statements = PLAIN_ROLLUPS.format(**_given(engine, policy))
        connection.connection.cursor().execute(statements)


def _given(engine: Engine, policy: Policy) -> dict[str, object]:
    through = newest_day(engine)
    shown = window(WindowKind.TRAILING_30_DAYS, through)
    minimums = {c.key: getattr(policy, c.minimum) for c in CRITERIA}
    last_test = months_later(month_start(through + ONE_DAY), -1)
    narrow = {"at_least": ">", "more_than": ">"} | {c.key: clearly(c, policy) for c in CRITERIA}
    wide = {"at_least": ">=", "more_than": ">="} | {c.key: nearly(c, policy) for c in CRITERIA}
    return {
        "through": through,
        "start": shown.start,
        "end": shown.end,
        "oldest": months_later(month_start(through), -COHORTS),
        "first_test": months_later(last_test, 1 - MONTHS_KEPT),
        "last_test": last_test,
        "valid_days": policy.evidence_valid_days,
        "protection": policy.requalification_protection_months,
        "counts": COUNTS,
        "outcome": OUTCOME,
        "known": ", ".join(KNOWN.format(key, minimums[key]) for key in METRIC_TYPES),
        "truth": MET.format(at_least=">=", more_than=">", **minimums),
        "clearly": MET.format(**narrow),
        "nearly": MET.format(**wide),
        **{step.key: step.at_most for step in COLLAPSES},
    }


def compare_rollups(engine: Engine) -> None:
    """Fail unless both computed the same rows."""
    with engine.connect() as connection:
        connection.execute(text("set local work_mem = '256MB'"))
        counted = {
            ours: connection.execute(text(_difference(connection, ours, plain))).scalar_one()
            for ours, plain in SAME.items()
        }
    different = {name: count for name, count in counted.items() if count}
    assert not different, f"rows that differ: {different}"


def _difference(connection: Connection, ours: str, plain: str) -> str:
    names = connection.execute(text(f"select * from bench.{plain} limit 0")).keys()
    columns = ", ".join(COMPARED_AS.get(name, name) for name in names)
    among = f"where affiliate_account_id % {SAMPLED[ours]} = 4" if ours in SAMPLED else ""
    one, other = (
        f"select {columns} from {table} {among}" for table in (f"review.{ours}", f"bench.{plain}")
    )
    return DIFFERENT.format(one=one, other=other)


def step_back(engine: Engine) -> None:
    """Set the rollups back by a day, as the command left them then."""
    now = moment(engine) - ONE_DAY
    rollups.refresh(engine, now=now, through=newest_day(engine) - ONE_DAY, risk=None)
    rollups.recount(engine, now=now)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        part = f"review.affiliate_daily_{month_start(newest_day(engine) - ONE_DAY):%Y_%m}"
        connection.execute(
            text(f"vacuum {part}, review.affiliate_monthly, review.affiliate_window")
        )


def refresh_one_day(engine: Engine) -> None:
    """Refresh after one more day has arrived."""
    rollups.refresh(engine, now=moment(engine), risk=None)


def refresh_one_day_with_risk(engine: Engine) -> None:
    """Refresh after one more day has arrived, and measure the risk of who waits, as the command."""
    rollups.refresh(engine, now=moment(engine), risk=Whose.WAITING)


def measure_risk(engine: Engine) -> None:
    """Measure the risk signals of all open applicants and approved affiliates."""
    assert measuring.measure(engine, now=moment(engine)) is not None


def recount(engine: Engine) -> None:
    """Count in full after the refresh, as the command does once a day."""
    found = rollups.recount(engine, now=moment(engine))
    assert found is not None
    assert not found.differing


def make_due(engine: Engine) -> None:
    """Refresh as of today, without a recount."""
    rollups.refresh(engine, now=moment(engine), risk=None)
    with engine.begin() as connection:
        connection.execute(text("truncate review.carried"))


MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        name="refresh, everything",
        ours=refresh_all,
        plain=refresh_all_plainly,
        prepare=forget_rollups,
        prepare_plain=forget_plain_rollups,
        check=compare_rollups,
        bar=1.3,
        turns=1,
    ),
    Measurement(name="refresh, one more day", ours=refresh_one_day, prepare=step_back, bar_s=3.0),
    # Beside the refresh of the same run, where another measurement has the plain SQL.
    Measurement(
        name="risk signals, all",
        ours=measure_risk,
        plain=refresh_all,
        prepare=refresh_one_day,
        prepare_plain=forget_rollups,
        bar=3,
        turns=1,
    ),
    Measurement(
        name="one more day with risk signals",
        ours=refresh_one_day_with_risk,
        plain=refresh_one_day,
        prepare=step_back,
        bar=1.5,
        turns=3,
    ),
    Measurement(name="recount, after it", ours=recount, prepare=make_due, turns=3),
)
