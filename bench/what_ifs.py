"""What-ifs at scale: the whole replay, and its lists."""

from dataclasses import replace
from decimal import Decimal
from functools import cache, partial

from sqlalchemy import Engine, create_engine

from bench.facts import moment
from bench.measurements import Measurement
from data_access.db.database import SETTINGS, Purpose
from data_access.eligibility import judging
from data_access.policy import what_if
from program.affiliates.what_if import Population
from program.periods import WindowKind
from program.policy.policy import Policy

# A minimum, a rate, the validity of evidence, and another way of counting.
DRAFTS = {
    "minimums": replace(
        Policy(), min_volume_usd=Decimal(35_000_000), max_rebate_rate=Decimal("0.30")
    ),
    "age of evidence": replace(Policy(), evidence_valid_days=30),
    "calendar months": replace(Policy(), window_kind=WindowKind.CALENDAR_MONTH),
}


@cache
def reporting(engine: Engine) -> Engine:
    """Return an engine with the settings for figures."""
    settings = " ".join(f"-c {name}={value}" for name, value in SETTINGS[Purpose.REPORTER].items())
    return create_engine(engine.url, connect_args={"options": f"-c timezone=UTC {settings}"})


def replayed(engine: Engine, *, draft: Policy) -> None:
    """Run the replay and read the first page of every list, as the page does."""
    with reporting(engine).connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        what_if.replay(connection, context, draft)
        what_if.changers(connection, context, draft, population=Population.OPEN)


def listed(engine: Engine, *, population: Population, page: int) -> None:
    """Read one page of those who change sides."""
    with reporting(engine).connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        what_if.changers(connection, context, DRAFTS["minimums"], population=population, page=page)


MEASUREMENTS: tuple[Measurement, ...] = (
    *(
        Measurement(name=f"what-if: {name}", ours=partial(replayed, draft=draft), bar_s=3)
        for name, draft in DRAFTS.items()
    ),
    *(
        Measurement(
            name=f"what-if: list of {population}, page 10",
            ours=partial(listed, population=population, page=10),
            bar_s=3,
        )
        for population in (Population.DECISIONS, Population.AFFILIATES)
    ),
)
