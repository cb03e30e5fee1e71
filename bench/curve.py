"""What grows with the facts: a first refresh, one more day, and each page, at three sizes.

``python -m bench curve`` builds a million and ten million rows of activity on servers of their own,
with as many fewer applications and accounts, and compares them with the whole.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from bench import build, database, pages, refreshing
from bench.facts import moment
from bench.measurements import Failures, seconds
from bench.pages import VIEWS, Counts, View
from data_access.db.embedded import HOME, Cluster
from data_access.risk.frame import Whose
from data_access.rollups import refreshing as rollups

# Million rows of activity, of the smaller databases and of the bench's own.
SMALLER = (1, 10)
WHOLE = 46.737
TURNS = 9
# Of the largest size, in times of the smallest.
BAR = 1.2
# What is fast in any case may vary by this without a cause.
NOISE_MS = 5


@dataclass(frozen=True, kw_only=True)
class Size:
    """A server whose database has so many million rows of activity."""

    millions: float
    cluster: Cluster
    engine: Engine


def report(engine: Engine, failures: Failures) -> None:
    """Print the refreshes of the smaller sizes, then a row for every page at all sizes."""
    whole = Size(millions=WHOLE, cluster=database.CLUSTER, engine=engine)
    with ExitStack() as stack:
        smaller = [stack.enter_context(prepared(millions)) for millions in SMALLER]
        for size in smaller:
            failures.print_row(f"{size.millions:g} million", partial(refreshed, size))
        compare_pages([*smaller, whole], failures)


@contextmanager
def prepared(millions: int) -> Iterator[Size]:
    """Build the size if it is missing; its server runs meanwhile."""
    cluster = Cluster(HOME / f"bench-{millions}m")
    if not database.is_built(cluster=cluster):
        size = build.Size.as_of(millions / WHOLE, datetime.now(UTC))
        build.build(size, cluster=cluster).dispose()
    engine = database.connect(cluster=cluster)
    try:
        database.bring_up_to_date(engine)
        yield Size(millions=millions, cluster=cluster, engine=engine)
    finally:
        engine.dispose()
        cluster.stop()


def refreshed(size: Size) -> str:
    """Refresh everything, then one more day; leaves risk and statistics as after a night."""
    engine = size.engine
    refreshing.forget_rollups(engine)
    whole = seconds(refreshing.refresh_all, engine)
    refreshing.step_back(engine)
    day = seconds(refreshing.refresh_one_day, engine)
    rollups.measure_risk(engine, now=moment(engine), whose=Whose.ALL)
    database.vacuum(engine)
    return (
        f"{size.millions:g} million rows: a first refresh {whole:.1f} s, "
        f"{whole / size.millions:.1f} s per million; one more day {day:.1f} s"
    )


def compare_pages(sizes: Sequence[Size], failures: Failures) -> None:
    """Print each page's milliseconds at every size, in turns, and the rows that it reads."""
    heads = "".join(f"{f'{size.millions:g} M':>9}" for size in sizes)
    print(f"{'a rerun, ms':<28}{heads} {'ratio':>7}          rows read")
    with ExitStack() as stack:
        visits = [stack.enter_context(_visited(size)) for size in sizes]
        for view in VIEWS:
            failures.print_row(view.name, partial(_row, view, visits))


Visit = tuple[pages.Manager, Callable[[View], pages.Cost]]


@contextmanager
def _visited(size: Size) -> Iterator[Visit]:
    home, known = size.cluster.home, pages.applicant(size.engine)
    with pages.visited(home, known) as manager, pages.counting(home, known) as count:
        yield manager, count


def _row(view: View, visits: Sequence[Visit]) -> str:
    turns = [manager.turns(view) for manager, _ in visits]
    took: list[list[float]] = [[] for _ in turns]
    for _ in range(TURNS):
        for one, kept in zip(turns, took, strict=True):
            kept.append(next(one)().ms)
    counts: list[Counts] = [count(view).counts for _, count in visits]
    medians = [statistics.median(one) for one in took]
    ratio = medians[-1] / medians[0]
    flat = ratio <= BAR or medians[-1] - medians[0] <= NOISE_MS
    verdict = "ok" if flat else "grows"
    times = "".join(f"{ms:>9.0f}" for ms in medians)
    rows = "".join(f"{one.rows_read:>11,}" for one in counts)
    return f"{view.name:<28}{times} {ratio:>6.2f}x {verdict:<5}{rows}"
