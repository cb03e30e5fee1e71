"""The hash chain: an untouched one verifies, whatever is tampered with is found, and it never forks."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from data_access.history import chain
from tests.builders import add_application, add_staff

CHAINED = (
    "decisions",
    "events",
    "notes",
    "evidence",
    "checks",
    "policies",
    "affiliate_events",
    "staff_events",
)
# Rows in one statement each, of every kind that has texts or generated columns.
RECORDED = (
    "insert into review.notes (application_id, body, author)"
    " select 7, 'note ' || n, 'ana@example.com' from generate_series(1, {n}) n",
    "insert into review.evidence (application_id, kind, value, exchange_name, source_url, observed_at)"
    " select 7, 'external_volume', n * 1.50, 'Kite', 'https://example.org/' || n, now()"
    " from generate_series(1, {n}) n",
    "insert into review.checks (application_id, item, outcome, comment, author)"
    " select 7, 'audience_real', 'passed', 'looked ' || n, 'ana@example.com' from generate_series(1, {n}) n",
    "insert into review.events (application_id, kind, actor, at, detail)"
    " select 7, 'released', 'ana@example.com', now(),"
    " jsonb_build_object('reason', 'because ' || n, 'decision_id', n) from generate_series(1, {n}) n",
    "insert into review.decisions (application_id, outcome, reason_code, rationale, decided_by,"
    " policy_version, snapshot) values (7, 'rejected', 'other', 'why', 'ana@example.com', 1, '{{\"a\": 1.50}}')",
)


def record(engine: Engine, count: int = 3) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, 7)
    for statement in RECORDED:
        with engine.begin() as conn:
            conn.execute(text(statement.format(n=count)))


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """A transaction in which no trigger fires, as the database's superuser has it."""
    with engine.begin() as conn:
        guarded = conn.execute(
            text("select tgrelid::regclass::text, tgname from pg_trigger where tgenabled = 'A'")
        ).all()
        for table, trigger in guarded:
            conn.execute(text(f"alter table {table} disable trigger {trigger}"))
        yield conn
        for table, trigger in guarded:
            conn.execute(text(f"alter table {table} enable always trigger {trigger}"))


def found(engine: Engine, kept: chain.Head | None = None) -> str:
    with pytest.raises(chain.Broken) as broken:
        chain.verify(engine, kept)
    return str(broken.value)


def test_a_new_database_has_a_chain_with_its_first_policy(engine: Engine) -> None:
    verified = chain.verify(engine)

    assert (verified.head.position, verified.rows) == (1, 1)


def test_whatever_is_recorded_is_in_the_chain(engine: Engine) -> None:
    before = chain.verify(engine).rows
    record(engine)

    verified = chain.verify(engine)

    with engine.connect() as conn:
        rows = sum(
            conn.execute(text(f"select count(*) from review.{name}")).scalar_one()
            for name in CHAINED
        )
    assert verified.rows == rows
    assert verified.rows > before


def test_the_session_time_zone_changes_no_hash(engine: Engine, database_url: str) -> None:
    for zone in ("America/St_Johns", "Asia/Kathmandu"):
        elsewhere = create_engine(
            database_url, connect_args={"options": f"-c timezone={zone} -c datestyle=German"}
        )
        with elsewhere.begin() as conn:
            conn.execute(
                text(
                    "insert into review.policies (version, effective_from, author)"
                    " select max(version) + 1, now(), 'mira@example.com' from review.policies"
                )
            )
        elsewhere.dispose()
        chain.verify(engine)


SIMPLE = {
    "changed": (
        "update review.notes set body = 'nothing' where note_id = 2",
        "Row 2 of review.notes was changed since it was recorded at",
    ),
    "changed figure": (
        "update review.evidence set value = 9 where evidence_id = 1",
        "Row 1 of review.evidence was changed",
    ),
    "changed time": (
        "update review.decisions set decided_at = '1999-01-01' where decision_id = 1",
        "Row 1 of review.decisions was changed",
    ),
    "removed": (
        "delete from review.checks where check_id = 3",
        "Row 3 of review.checks was removed",
    ),
    "swapped": (
        "update review.notes n set body = o.body from review.notes o"
        " where n.note_id + o.note_id = 3 and n.note_id <> o.note_id",
        "Row 1 of review.notes was changed",
    ),
    "added": (
        "insert into review.notes (application_id, body, author) values (7, 'forged', 'eve')",
        "Row 4 of review.notes is not in the history",
    ),
    "link removed": (
        "delete from review.history_links where position = 3",
        "Link 4 of the history is broken: the link before it is missing",
    ),
    "links reordered": (
        "alter table review.history_links drop constraint history_links_entry_id_fkey;"
        " update review.history_links set entry_id = -entry_id where position in (2, 3);"
        " update review.history_links set entry_id = 5 + entry_id where position in (2, 3)",
        "Link 2 of the history is broken: its entry or its hash was changed",
    ),
    "tail cut": (
        "delete from review.history_links where position = (select max(position) from review.history_links)",
        "links were cut off or added",
    ),
    "entry changed": (
        "update review.history_entries set row_ids = '{1,2,9}' where table_name = 'notes'",
        "Link 2 of the history is broken: its entry or its hash was changed",
    ),
    "salt replaced": (
        "update review.history_salts set salt = '\\x00' where table_name = 'notes' and row_id = 1",
        "Row 1 of review.notes was changed",
    ),
    "erased by nobody": (
        "insert into review.history_erased values ('policies', 1, 99, '{}')",
        "Row 1 of review.policies was erased by nobody",
    ),
    "column added": (
        "alter table review.notes add column hidden text",
        "does not cover the column hidden of notes",
    ),
    "function replaced": (
        "create or replace function review.history_hash(shape review.history_formats, stored jsonb,"
        " salt bytea, erased jsonb) returns bytea language sql immutable as $$ select ''::bytea $$",
        "The function review.history_hash is not the one",
    ),
}


@pytest.mark.parametrize("way", SIMPLE)
def test_tampering_is_named(engine: Engine, way: str) -> None:
    record(engine)
    chain.verify(engine)
    statement, sentence = SIMPLE[way]

    with tampering(engine) as conn:
        conn.execute(text(statement))

    assert sentence in found(engine)


def test_a_disabled_trigger_is_named(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("alter table review.notes disable trigger chained"))

    assert "The trigger chained on review.notes is missing or disabled" in found(engine)


CUT = """
delete from review.history_links where position > {left};
delete from review.history_entries where entry_id not in (select entry_id from review.history_links);
delete from review.notes where note_id not in (
    select unnest(row_ids) from review.history_entries where table_name = 'notes');
update review.history_head set (position, hash) = (
    select position, hash from review.history_links where position = {left});
"""


def test_a_tail_cut_cleanly_is_found_by_a_kept_head(engine: Engine) -> None:
    record(engine)
    note(engine, "the last one")
    kept = chain.head(engine)
    chain.verify(engine, kept)

    with tampering(engine) as conn:
        conn.execute(text(CUT.format(left=kept.position - 1)))

    chain.verify(engine)
    assert f"The kept head names link {kept.position}" in found(engine, kept)
    note(engine, "in its place")
    assert f"Link {kept.position} is not the one" in found(engine, kept)


def note(engine: Engine, body: str) -> None:
    with engine.begin() as conn:
        conn.execute(
            text(
                "insert into review.notes (application_id, body, author)"
                " values (7, :body, 'ana@example.com')"
            ),
            {"body": body},
        )


def test_concurrent_writers_never_fork_it_and_never_wait_in_a_circle(engine: Engine) -> None:
    record(engine)

    def write(number: int) -> None:
        # Two entries each, in opposite orders, with time between them for the others.
        order = (RECORDED[0], RECORDED[3]) if number % 2 else (RECORDED[3], RECORDED[0])
        with engine.begin() as conn:
            for statement in order:
                conn.execute(text(statement.format(n=2)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(60)))

    verified = chain.verify(engine)
    with engine.connect() as conn:
        positions = conn.execute(
            text("select array_agg(position order by position) from review.history_links")
        ).scalar_one()
    assert positions == list(range(1, verified.head.position + 1))


def test_the_head_is_free_until_a_transaction_commits(engine: Engine) -> None:
    record(engine)

    with engine.begin() as slow:
        slow.execute(text(RECORDED[0].format(n=1)))
        with engine.begin() as quick:
            quick.execute(text("set local lock_timeout = '2s'"))
            quick.execute(text(RECORDED[3].format(n=1)))

    chain.verify(engine)


def test_an_act_that_is_rolled_back_leaves_no_link(engine: Engine) -> None:
    record(engine)
    before = chain.head(engine)

    with engine.connect() as conn:
        conn.execute(text(RECORDED[0].format(n=1)))
        conn.rollback()

    assert chain.verify(engine).head == before


ZONES = """
select name from pg_timezone_names where name ~ '^(Africa|America|Asia|Australia|Europe|Pacific)/'
order by md5(name) limit 30
"""


@pytest.mark.slow
def test_an_untouched_chain_of_100_000_rows_verifies_under_30_time_zones(
    engine: Engine, database_url: str
) -> None:
    record(engine, 20_000)
    # Most links of a desk in use hold one row.
    with engine.begin() as conn:
        conn.execute(
            text(
                "do $$ begin for n in 1..20000 loop insert into review.notes"
                " (application_id, body, author) values (7, 'note ' || n, 'ana@example.com');"
                " end loop; end $$"
            )
        )
    with engine.connect() as conn:
        zones = conn.execute(text(ZONES)).scalars().all()
    assert len(set(zones)) == 30
    for zone in zones:
        elsewhere = create_engine(database_url, connect_args={"options": f"-c timezone={zone}"})
        assert chain.verify(elsewhere).rows >= 100_000
        elsewhere.dispose()


KEYS = {
    "notes": (
        "note_id",
        "body = body || '.'",
        "created_at = created_at + interval '1 microsecond'",
    ),
    "checks": ("check_id", "outcome = 'failed'", "comment = upper(comment)"),
    "evidence": ("evidence_id", "value = value + 0.01", "source_url = null"),
    "events": ("event_id", "kind = 'claimed'", "detail = detail || '{\"decision_id\": 0}'"),
}


def change(random_: random.Random, count: int) -> str:
    table = random_.choice([*KEYS])
    key, *changes = KEYS[table]
    return f"update review.{table} set {random_.choice(changes)} where {key} = {random_.randint(1, count)}"


def remove(random_: random.Random, count: int) -> str:
    table = random_.choice([*KEYS])
    return f"delete from review.{table} where {KEYS[table][0]} = {random_.randint(1, count)}"


def reorder(random_: random.Random, count: int) -> str:
    """Swap two rows: each gets the other's number."""
    table = random_.choice([*KEYS])
    key, (a, b) = KEYS[table][0], random_.sample(range(1, count), 2)
    columns = f"alter table review.{table} alter {key} drop identity"
    return (
        f"{columns}; update review.{table} set {key} = -{key} where {key} in ({a}, {b});"
        f" update review.{table} set {key} = {a} + {b} + {key} where {key} < 0"
    )


def append(random_: random.Random, count: int) -> str:
    return RECORDED[random_.randrange(4)].format(n=1)


def cut(random_: random.Random, count: int) -> str:
    return CUT.format(left=random_.randint(1, 4))


@pytest.mark.slow
def test_100_random_tamperings_are_all_found(engine: Engine) -> None:
    count, random_ = 300, random.Random(4)
    record(engine, count)
    kept = chain.verify(engine).head
    guards = "select tgrelid::regclass::text, tgname from pg_trigger where tgenabled = 'A'"
    ways: list[Callable[[random.Random, int], str]] = [change, remove, reorder, append, cut]
    missed = []
    for number in range(100):
        statement = ways[number % len(ways)](random_, count)
        with engine.connect() as conn:
            for table, trigger in (guarded := conn.execute(text(guards)).all()):
                conn.execute(text(f"alter table {table} disable trigger {trigger}"))
            conn.exec_driver_sql(statement)
            for table, trigger in guarded:
                conn.execute(text(f"alter table {table} enable always trigger {trigger}"))
            try:
                chain.verify_on(conn, kept)
            except chain.Broken:
                pass
            else:
                missed.append(statement)
            conn.rollback()
    assert missed == []
    chain.verify(engine, kept)
