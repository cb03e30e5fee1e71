"""Old months go to files, proven and whole; figures stay, and nothing is lost or said falsely."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from data_access import archives, doctor, loading, rollups
from data_access.archives import ArchiveMonths, month_file
from data_access.db import archived, partitions
from data_access.db.errors import Refusal
from data_access.loading import Delivery, LoadRefused
from program.periods import month_start, months_later
from tests.builders import add_application
from tests.data_access.affiliate_months import add_approval, add_short_reach
from tests.data_access.rollups.test_carried import derived
from tests.data_access.rollups.test_refreshing import (
    ANN,
    BOB,
    NOW,
    Referral,
    T,
    Trade,
    at,
    deliver,
    everything,
    record_load,
    refresh,
    rows,
    run,
    set_policy,
)
from tests.databases import UTC as UTC_SESSION
from tests.databases import Databases

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120
NEEDED = date(2025, 3, 1)
OLDEST = date(2024, 10, 1)
MONTHS = [months_later(OLDEST, n) for n in range(5)]
FACTS = "select t::text from exchange.referral_activity t order by 1"


def history() -> Iterator[Trade | Referral]:
    chance = random.Random(5)
    day = OLDEST
    while day <= T:
        for affiliate in (ANN, BOB):
            for user in chance.sample(range(8), 2):
                yield Trade(day=day, affiliate=affiliate, user=affiliate * 10 + user,
                            volume=chance.choice(("0.00", "0.01", "12345678.90", "999.99")),
                            fees=chance.choice(("0", "-0.000001", "0.000001", "12.500000")),
                            count=chance.randrange(9))  # fmt: skip
        day += timedelta(days=chance.randint(2, 9))
    for user in range(8):
        for affiliate in (ANN, BOB):
            when = at(OLDEST + timedelta(days=60 * user))
            yield Referral(at=when, affiliate=affiliate, user=affiliate * 10 + user)


@pytest.fixture(scope="module")
def world(databases: Databases) -> Engine:
    """Seventeen months of facts, two approved affiliates, a refresh through T; not to be changed."""
    engine = opened(databases, databases.copy("world"))
    with engine.begin() as conn:
        for id_, month in ((ANN, 4), (BOB, 11)):
            add_application(conn, id_, status="approved")
            add_approval(conn, id_, datetime(2025, month, 20, tzinfo=UTC), snapshot={})
            add_short_reach(conn, id_, date(2025, month, 1))
    # A policy whose counts are not the rollup's, so that tests read the activity itself.
    set_policy(engine, active_user_min_volume_usd="500", new_user_must_trade=True)
    deliver(engine, *history())
    rollups.refresh(engine, now=NOW, risk=None)
    return engine


def opened(databases: Databases, name: str) -> Engine:
    """An engine without a pool, whose database can be copied."""
    return create_engine(databases.url(name), connect_args=UTC_SESSION, poolclass=NullPool)


@pytest.fixture
def filled(world: Engine, databases: Databases) -> Engine:
    """The same for one test."""
    return opened(databases, databases.copy("filled", world.url.database))


@pytest.fixture(scope="module")
def done(
    world: Engine, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Engine, Path]:
    """The same with its months in files, and the folder; nothing else is to be changed."""
    engine, folder = (
        opened(databases, databases.copy("done", world.url.database)),
        tmp_path_factory.mktemp("archive"),
    )
    archive(engine, folder)
    return engine, folder


def archive(engine: Engine, folder: Path, before: date = NEEDED, **given: Any) -> archives.Archived:
    command = ArchiveMonths(before=before, folder=folder, at=NOW)
    return archives.archive(engine, command, progress=given.get("progress", lambda *_: None))


def load(engine: Engine, *paths: Path, kind: str = "activity") -> loading.LoadReport:
    return loading.load(engine, Delivery(kind=kind, paths=paths), now=NOW)


def there(engine: Engine) -> list[date]:
    with engine.connect() as conn:
        return partitions.existing(conn)


def months(engine: Engine) -> list[date]:
    with engine.connect() as conn:
        return [one.month for one in archived.read(conn)]


def figures(engine: Engine) -> list[Any]:
    return [everything(engine), derived(engine)]


def finding(engine: Engine, what: str) -> doctor.Finding:
    (found,) = [one for one in doctor.examine(engine, now=NOW) if one.what == what]
    return found


def path_of(folder: Path, month: date) -> Path:
    return folder / f"referral_activity_{month:%Y-%m}.parquet"


# What is archived, and what stays --------------------------------------------------------------


def test_archived_months_are_files_with_every_row_and_their_figures_stay(
    filled: Engine, tmp_path: Path
) -> None:
    facts, before = rows(filled, FACTS), figures(filled)

    # Whole months alone: March begins before that day, and stays.
    done = archive(filled, tmp_path, date(2025, 3, 31))

    assert done.months == (*MONTHS,) == (*months(filled),)
    assert sorted(tmp_path.iterdir()) == [path_of(tmp_path, month) for month in MONTHS]
    assert done.rows == len(facts) - len(rows(filled, FACTS)) > 20
    assert there(filled)[0] == NEEDED
    assert figures(filled) == before
    assert finding(filled, "archives").sentence == (
        f"activity of 2024-10 to 2025-02 is in files ({done.rows:,} rows); its sums stay"
    )
    assert str(done).startswith("Activity of 2024-10 to 2025-02 is in ")


@pytest.mark.measures_risk
def test_every_figure_is_the_same_after_a_full_count_of_what_is_left(
    filled: Engine, tmp_path: Path
) -> None:
    rollups.measure_risk(filled, now=NOW, whose=rollups.refreshing.Whose.ALL)
    risk = "select r::text from (select * from review.risk_measures) r order by 1"
    before, measured = figures(filled), rows(filled, risk)
    archive(filled, tmp_path)

    refresh(filled, since=date(2020, 1, 1))
    found = rollups.recount(filled, now=NOW)

    assert figures(filled) == before
    assert rows(filled, risk) == measured != []
    assert found is not None
    assert found.differing == 0
    assert finding(filled, "recounts").ok


def test_a_month_that_is_loaded_is_what_it_was_and_can_be_archived_again(
    filled: Engine, tmp_path: Path
) -> None:
    facts, before = rows(filled, FACTS), figures(filled)
    run(filled, "create table kept as select * from exchange.referral_activity"
        " where date_trunc('month', activity_date) = '2025-01-01'")  # fmt: skip
    archive(filled, tmp_path)

    back = load(filled, path_of(tmp_path, MONTHS[1]), path_of(tmp_path, MONTHS[2]))

    assert months(filled) == [MONTHS[0], *MONTHS[3:]]
    assert back.rows_inserted == back.rows_read > 5
    assert finding(filled, "archives").sentence.startswith(
        "activity of 2024-10 and 2025-01 to 2025-02 is in files"
    )
    with pytest.raises(Refusal, match=r"2024-11-01 on were loaded and are not in the figures yet"):
        archive(filled, tmp_path)
    # Other months between them and now are archived still, and keep their figures.
    refresh(filled)
    assert figures(filled) == before
    assert archive(filled, tmp_path).months == (*MONTHS[1:3],)
    # Somebody has made one of them a partition again, with its rows, and one that is wrong.
    with filled.begin() as conn:
        partitions.ensure_months(conn, MONTHS[3], MONTHS[3])
    run(filled, "insert into exchange.referral_activity select affiliate_account_id,"
        " referred_account_id, activity_date, case max(activity_date) over ()"
        " when activity_date then 5 else volume_usd end, fees_usd, trade_count from kept")  # fmt: skip
    back = load(filled, path_of(tmp_path, MONTHS[3]))
    assert back.rows_inserted == 0 < back.rows_updated
    assert back.first_day == MONTHS[3]
    load(filled, *(path_of(tmp_path, month) for month in (*MONTHS[:3], MONTHS[4])))
    assert rows(filled, FACTS) == facts
    refresh(filled)
    assert figures(filled) == before
    assert finding(filled, "archives").sentence == "none: all activity is here"


def test_a_second_run_has_nothing_left_to_do(done: tuple[Engine, Path]) -> None:
    assert str(archive(*done)) == "There is no activity of that time left to archive."


def test_a_month_without_rows_leaves_no_file(filled: Engine, tmp_path: Path) -> None:
    with filled.begin() as conn:
        partitions.ensure_months(conn, date(2024, 9, 1), date(2024, 9, 1))

    archive(filled, tmp_path)

    assert date(2024, 9, 1) not in [*there(filled), *months(filled)]
    assert len(list(tmp_path.iterdir())) == len(MONTHS)


# What is refused -------------------------------------------------------------------------------


def refused(engine: Engine, folder: Path, sentence: str, before: date = NEEDED) -> None:
    facts = rows(engine, FACTS)
    with pytest.raises(Refusal, match=sentence):
        archive(engine, folder, before)
    assert rows(engine, FACTS) == facts


def test_what_is_still_read_day_by_day_is_refused_with_the_oldest_such_day(
    world: Engine, tmp_path: Path
) -> None:
    sentence = "2025-03-01 is the oldest day .* Archive what is older, with --before 2025-03 or"

    refused(world, tmp_path, sentence, date(2025, 4, 1))


def test_a_day_before_which_no_month_is_over_is_refused(world: Engine, tmp_path: Path) -> None:
    refused(world, tmp_path, "No month is over before 0001-01", date(1, 1, 31))


def test_activity_whose_figures_were_never_computed_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    deliver(engine, Trade(day=OLDEST))

    refused(engine, tmp_path, "never computed.* refresh` first")


def test_loads_that_no_refresh_has_counted_are_refused(filled: Engine, tmp_path: Path) -> None:
    record_load(filled, date(2025, 5, 1))
    assert archive(filled, tmp_path, date(2024, 12, 1)).months == (*MONTHS[:2],)
    record_load(filled, date(2025, 1, 31))

    assert archive(filled, tmp_path, date(2025, 1, 1)).months == (MONTHS[2],)
    refused(filled, tmp_path, "Days from 2025-01-31 on were loaded and are not in the figures yet")


def test_a_month_whose_figures_differ_from_its_activity_is_refused(
    filled: Engine, tmp_path: Path
) -> None:
    run(filled, "update exchange.referral_activity set fees_usd = fees_usd + 0.000001"
        " where activity_date between '2024-12-01' and '2024-12-31'")  # fmt: skip

    with pytest.raises(Refusal, match=r"figures of 2024-12 differ .* refresh --since 2024-12-01"):
        archive(filled, tmp_path)

    assert months(filled) == MONTHS[:2]


def test_a_file_that_holds_other_rows_is_never_overwritten(world: Engine, tmp_path: Path) -> None:
    taken = path_of(tmp_path, OLDEST)
    taken.write_bytes(b"another database's")

    refused(world, tmp_path, "is there already and holds other rows")

    assert list(tmp_path.iterdir()) == [taken]
    assert taken.read_bytes() == b"another database's"


def test_a_file_that_does_not_read_back_equal_keeps_the_month(
    world: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = month_file.parquet.write

    def forget_a_row(stream: Any, columns: Any, target: Any, **given: Any) -> None:
        written(stream, columns, target, **given)
        path = Path(target._name)
        pq.write_table(pq.read_table(path).slice(1), path)

    monkeypatch.setattr(month_file.parquet, "write", forget_a_row)

    refused(world, tmp_path, "does not read back as the .* rows that the database has")

    assert months(world) == []
    assert list(tmp_path.iterdir()) == []


def test_two_databases_that_archive_into_one_folder_leave_each_other_their_files(
    world: Engine, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    other = opened(databases, databases.copy("other", world.url.database))
    run(other, "update exchange.referral_activity set referred_account_id = referred_account_id + 99"
        f" where activity_date = '{OLDEST}'")  # fmt: skip
    facts = rows(other, FACTS)
    read_back, calls = month_file.read_back, []

    def meanwhile(path: Path) -> month_file.Content | None:
        calls.append(path)
        if len(calls) == 1:
            archive(other, tmp_path, date(2024, 11, 1))
        return read_back(path)

    monkeypatch.setattr(month_file, "read_back", meanwhile)

    refused(world, tmp_path, "is there already and holds other rows")

    assert months(other) == [OLDEST]
    assert list(tmp_path.iterdir()) == [path_of(tmp_path, OLDEST)]
    load(other, path_of(tmp_path, OLDEST))
    assert rows(other, FACTS) == facts


def test_a_partition_goes_once_its_file_and_every_name_that_leads_to_it_are_on_the_disk(
    filled: Engine, done: tuple[Engine, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new" / "archive"
    folder.mkdir(parents=True)
    # Of a run that was killed, or copied there: with the same rows, so it stays.
    shutil.copy(path_of(done[1], OLDEST), folder)
    sync, drop = os.fsync, archives.archiving._drop
    synced: set[int] = set()
    missing: list[set[Path]] = []

    def note(handle: int) -> None:
        sync(handle)
        synced.add(os.fstat(handle).st_ino)

    def check(cursor: Any, part: Any, month: date) -> None:
        needed = {path_of(folder, month), folder, folder.parent, tmp_path}
        missing.append({one for one in needed if one.stat().st_ino not in synced})
        synced.clear()
        drop(cursor, part, month)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(archives.archiving, "_drop", check)

    assert archive(filled, folder, date(2024, 12, 1)).months == (*MONTHS[:2],)
    assert missing == [set(), set()]


def test_a_folder_that_cannot_be_written_is_named(world: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refused(world, tmp_path / "file", "cannot be written: ")


def test_readers_of_activity_are_waited_for_but_not_for_long(
    world: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives.archiving, "DETACH_WAIT", "100ms")
    with world.begin() as reading:
        reading.execute(text("select count(*) from exchange.referral_activity"))

        refused(world, tmp_path, "2024-10 could not be archived, because activity is being read")


def test_activity_of_an_archived_month_comes_back_whole_or_not_at_all(
    done: tuple[Engine, Path], tmp_path: Path
) -> None:
    engine, folder = done
    late = tmp_path / "late.csv"
    late.write_text(
        "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count\n"
        "1,2,2025-03-05,1.00,0.5,1\n1,2,2025-01-05,1.00,0.5,1\n1,2,2025-01-06,1.00,0.5,1\n"
    )
    facts = rows(engine, FACTS)

    with pytest.raises(LoadRefused) as refusal:
        load(engine, late)

    (problem,) = refusal.value.problems
    assert str(problem).startswith(
        "late.csv, line 3, `activity_date`: `2025-01` is archived and comes back as the file that "
        "was archived, and nothing else: referral_activity_2025-01.parquet with "
    )
    assert str(problem).endswith(". Load that file first.")
    # With the file, other rows of its month are too many.
    with pytest.raises(LoadRefused, match="`2025-01` is archived and comes back as the file"):
        load(engine, path_of(folder, MONTHS[3]), late)
    assert rows(engine, FACTS) == facts


def test_a_file_with_the_sums_of_an_archived_month_is_not_the_month(
    done: tuple[Engine, Path], tmp_path: Path
) -> None:
    engine, folder = done
    theirs = pq.read_table(path_of(folder, OLDEST)).to_pandas()
    theirs["referred_account_id"] += 99
    theirs.to_parquet(path_of(tmp_path, OLDEST), index=False)
    digest = month_file.fingerprint(path_of(folder, OLDEST))

    with pytest.raises(LoadRefused, match=rf"row 1, .* rows and SHA-256 {digest}\. Load that"):
        load(engine, path_of(tmp_path, OLDEST))

    assert months(engine) == MONTHS


def test_referrals_of_an_archived_month_change_only_with_its_archive(
    done: tuple[Engine, Path], tmp_path: Path
) -> None:
    engine, _ = done
    file = tmp_path / "referrals.csv"
    known = rows(engine, "select affiliate_account_id, referred_account_id, "
                 "to_char(referred_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                 "from exchange.referrals")  # fmt: skip
    lines = [",".join(map(str, row)) for row in known]
    header = "affiliate_account_id,referred_account_id,referred_at"
    file.write_text("\n".join([header, *lines]) + "\n")

    # All of them again, as upstream may send them.
    assert load(engine, file, kind="referrals").rows_updated == 0
    file.write_text("\n".join([header, *lines, "1,2,2025-02-28T23:59:59Z"]) + "\n")
    with pytest.raises(LoadRefused, match=r"`2025-02-28` would change the figures of 2025-02, .*"
                       r" archived\. Load referral_activity_2025-02\.parquet first"):  # fmt: skip
        load(engine, file, kind="referrals")
    # From an archived day to one whose activity is here.
    (moved,) = [line for line in lines if line.startswith(f"{ANN},{ANN * 10 + 2},2025-01-")]
    file.write_text("\n".join([header, moved[:-20] + "2025-06-01T00:00:00Z"]) + "\n")
    with pytest.raises(LoadRefused, match=r"`2025-06-01` would change the figures of 2025-01, .*"
                       r" Load referral_activity_2025-01\.parquet first"):  # fmt: skip
        load(engine, file, kind="referrals")


def test_figures_of_a_day_that_needs_an_archive_are_refused(done: tuple[Engine, Path]) -> None:
    engine, _ = done
    before = figures(engine)

    with pytest.raises(Refusal, match=r"through 2026-02-28 need activity of 2025-02, .* archived"):
        refresh(engine, through=date(2026, 2, 28))

    assert figures(engine) == before


def test_a_partition_of_an_archived_month_made_by_hand_is_a_finding(
    done: tuple[Engine, Path],
) -> None:
    engine, folder = done
    with engine.begin() as conn:
        partitions.ensure_months(conn, MONTHS[3], MONTHS[3])
    way_back = "load activity referral_activity_2025-01.parquet`, then .* refresh`"

    found = finding(engine, "archives")
    refused(engine, folder, f"2025-01 is archived and has a partition too.* {way_back}")
    run(engine, f"drop table {partitions.partition_name(MONTHS[3])}")

    assert not found.ok
    assert re.match(f"2025-01 is archived and has a partition too, .* {way_back}", found.sentence)
    assert finding(engine, "archives").ok


# Killed in the middle --------------------------------------------------------------------------

WHERE = [
    "data_access.archives.month_file._write",
    "data_access.archives.month_file.read_back",
    "data_access.archives.month_file._keep_names",
    "data_access.archives.archiving._record",
    "data_access.archives.archiving._drop",
]
KILLED = """
import importlib, os, signal, sys
from datetime import date, datetime
from pathlib import Path
from sqlalchemy import create_engine
from data_access import archives

url, folder, where, at_call, after = sys.argv[1:]
module, name = where.rsplit(".", 1)
module = importlib.import_module(module)
real, calls = getattr(module, name), 0

def killing(*given, **named):
    global calls
    calls += 1
    if calls == int(at_call) and after == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = real(*given, **named)
    if calls == int(at_call):
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(module, name, killing)
command = archives.ArchiveMonths(
    before=date(2025, 3, 1), folder=Path(folder), at=datetime.fromisoformat("2026-03-15T09:00:00Z"))
archives.archive(create_engine(url), command, progress=lambda *_: None)
"""


@pytest.mark.parametrize(
    ("kills", "ends"),
    [
        pytest.param(
            [(WHERE[2], 2, "after"), (WHERE[4], 3, "after")], {-signal.SIGKILL}, id="2 kills"
        ),
        pytest.param(
            [
                (where, call, moment)
                for where in WHERE
                for call in (1, 2)
                for moment in ("before", "after")
            ],
            # Once few months are left, it ends before it comes so far.
            {-signal.SIGKILL, 0},
            id="20 kills",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_whoever_is_killed_loses_nothing_and_the_next_goes_on(
    filled: Engine, tmp_path: Path, kills: list[tuple[str, int, str]], ends: set[int]
) -> None:
    facts, before = rows(filled, FACTS), figures(filled)

    for where, call, moment in kills:
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, address(filled), tmp_path, where, str(call), moment],
            cwd=ROOT,
            env={**os.environ},
            timeout=PATIENCE_S,
        )
        assert ended.returncode in ends
        wait_until_alone(filled)
        files = [file for file in tmp_path.iterdir() if file.suffix == ".parquet"]
        assert all(month_file.read_back(file) for file in files)
        # Each month is here, or in a file that the database knows.
        assert sorted([*there(filled), *months(filled)]) == all_months()
        assert {path_of(tmp_path, month) for month in months(filled)} <= {*files}

    archive(filled, tmp_path)
    assert months(filled) == MONTHS
    assert sorted(tmp_path.iterdir()) == [path_of(tmp_path, month) for month in MONTHS]
    refresh(filled, since=OLDEST)
    assert figures(filled) == before
    load(filled, *tmp_path.iterdir())
    assert rows(filled, FACTS) == facts


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def all_months() -> list[date]:
    found = [OLDEST]
    while (after := months_later(found[-1], 1)) <= month_start(T):
        found.append(after)
    return found


def wait_until_alone(engine: Engine) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    others = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and state <> 'idle' and backend_type = 'client backend'"
    )
    deadline = time.monotonic() + PATIENCE_S
    while rows(engine, others) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_archive_a_load_and_a_refresh_wait_while_a_month_is_archived(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = "select sum(volume_usd) from review.affiliate_daily"
    ((before,),) = rows(filled, total)
    late = tmp_path / "late.csv"
    late.write_text(
        "affiliate_account_id,referred_account_id,activity_date,volume_usd,fees_usd,trade_count\n"
        f"{ANN},2,{T},1.00,0.5,1\n"
    )
    record, held, free = archives.archiving._record, Event(), Event()

    def hold(*given: Any) -> None:
        held.set()
        assert free.wait(PATIENCE_S)
        record(*given)

    monkeypatch.setattr(archives.archiving, "_record", hold)
    with ThreadPoolExecutor() as pool:
        one = pool.submit(archive, filled, tmp_path / "archive")
        try:
            wait_until(held.is_set, one)
            two = pool.submit(archive, filled, tmp_path / "archive")
            others = two, pool.submit(load, filled, late), pool.submit(refresh, filled)
            wait_until(lambda: rows(filled, WAITING) == [(len(others),)], one, *others)
        finally:
            free.set()

    assert sorted([*one.result().months, *two.result().months]) == MONTHS == months(filled)
    assert there(filled)[0] == NEEDED
    assert all(other.result() for other in others)
    refresh(filled)
    assert rows(filled, total) == [(before + 1,)]


WAITING = """
select count(*) from pg_locks join pg_database d on d.oid = database
where locktype = 'advisory' and not granted and datname = current_database()
"""


def wait_until(reached: Callable[[], bool], *running: Future[Any]) -> None:
    """Wait for a state that comes while all of them run."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert not any(one.done() for one in running)
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_does_not_work_on_distributed_activity_says_so_and_changes_nothing(
    filled: Engine, tmp_path: Path
) -> None:
    """Citus is where its list of distributed tables is; here a table like it."""
    archive(filled, tmp_path, MONTHS[2])
    files = sorted(tmp_path.iterdir())
    run(filled, "create table public.pg_dist_partition (logicalrelid regclass)")
    run(filled, f"insert into public.pg_dist_partition values ('{partitions.PARENT}')")
    before = rows(filled, FACTS), there(filled), months(filled)

    with pytest.raises(Refusal, match="and archiving does not work there yet"):
        archive(filled, tmp_path)
    with pytest.raises(Refusal, match="and a load of a new month does not work there yet"):
        load(filled, path_of(tmp_path, OLDEST))

    assert (rows(filled, FACTS), there(filled), months(filled)) == before
    assert sorted(tmp_path.iterdir()) == files
