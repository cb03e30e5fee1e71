"""Every text column has a rule that says what erasing a person does to it."""

from sqlalchemy import Connection, text

TEXTS = """
select n.nspname || '.' || c.relname as table_name, a.attname as column_name
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('exchange', 'review') and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'alembic_version'
    and a.atttypid::regtype::text = any ('{text,text[],character,"character varying",json,jsonb,bytea,name,xml}')
"""


def named(conn: Connection, statement: str) -> set[tuple[str, str]]:
    return {(row.table_name, row.column_name) for row in conn.execute(text(statement))}


def test_every_text_column_has_a_rule(conn: Connection) -> None:
    ruled = named(conn, "select table_name, column_name from review.text_rules")

    assert named(conn, TEXTS) - ruled == set(), "Say in 10_erasures.sql what erasing does to them."
    assert ruled - named(conn, TEXTS) == set(), "These columns are gone."


def test_a_new_text_column_is_missed(conn: Connection) -> None:
    conn.execute(text("alter table review.desk add column nickname text"))
    ruled = named(conn, "select table_name, column_name from review.text_rules")

    assert ("review.desk", "nickname") in named(conn, TEXTS) - ruled


def test_every_rule_says_why(conn: Connection) -> None:
    empty = conn.execute(text("select count(*) from review.text_rules where btrim(why) = ''"))

    assert empty.scalar_one() == 0
