"""The functions and triggers that the schema's files make, compared with those of a database.

What should be there is read from the files, never from the database: whoever can replace a guard
can also replace what the database says about it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, text

from data_access.db.tables import SCHEMA

_NAME = r"((?:review|exchange)\.\w+)"
_FUNCTION = re.compile(
    r"^create function (review\.\w+)\([^;]*?\)\s*returns ([^;]*?)\bas (\$\w*\$)(.*?)\3", re.M | re.S
)
_WITHOUT_TEXT = re.compile(r"^create function (review\.\w+)\(", re.M)
_SETTING = re.compile(r"\bset (\w+) = ('[^']*'|[\w, ]+?)(?=\s+set\b|\s*$|\s+as\b)")
_TRIGGER = re.compile(
    rf"^create (?:constraint )?trigger (\w+) (before|after) ([\w ]+?) on {_NAME}\s(.*?)"
    r"execute function (review\.\w+)\(",
    re.M | re.S,
)
_ALWAYS = re.compile(rf"^alter table {_NAME} enable always trigger (\w+);", re.M)
# The same triggers on a list of tables, created in a loop.
_CHAINED = re.compile(r"foreach chained in array '\{([\w,]+)\}'")
_EVENTS = {"insert": 4, "delete": 8, "update": 16, "truncate": 32}
_ROW, _BEFORE = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as its author wrote it."""

    body: str
    definer: bool
    settings: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What fires a trigger, and what it calls. ``kind`` is Postgres's tgtype."""

    function: str
    kind: int
    enabled: str
    conditional: bool


def _sources() -> Iterator[str]:
    for subject in sorted(SCHEMA.glob("*.sql")):
        yield subject.read_text(encoding="utf-8")


@cache
def functions() -> dict[str, Function]:
    """Return the functions with a body in quotes, by name."""
    return {
        name: Function(
            body=body,
            definer="security definer" in header,
            settings=frozenset(
                f"{setting}={value.strip().strip(chr(39))}".lower()
                for setting, value in _SETTING.findall(" ".join(header.split()))
            ),
        )
        for source in _sources()
        for name, header, _, body in _FUNCTION.findall(source)
    }


@cache
def triggers() -> dict[tuple[str, str], Trigger]:
    """Return the triggers by table and name."""
    found = {}
    for source in _sources():
        always = {(table, name) for table, name in _ALWAYS.findall(source)}
        for name, moment, events, table, how, function in _TRIGGER.findall(source):
            kind = sum(_EVENTS[event] for event in events.split(" or "))
            kind |= _ROW if "for each row" in how else 0
            kind |= _BEFORE if moment == "before" else 0
            fires = "A" if (table, name) in always or name == "dated_now" else "O"
            found[table, name] = Trigger(
                function=function, kind=kind, enabled=fires, conditional="when (" in how
            )
        for listed in _CHAINED.findall(source):
            for table in listed.split(","):
                found[f"review.{table}", "chained"] = Trigger(
                    function="review.chain_rows",
                    kind=_EVENTS["insert"],
                    enabled="A",
                    conditional=False,
                )
    return found


FUNCTIONS = """
select p.oid::regproc::text, prosrc, prosecdef,
    array(select lower(replace(one, '"', '')) from unnest(proconfig) as one),
    not prosecdef or prorettype = 'trigger'::regtype
        or not has_function_privilege('public', p.oid, 'execute')
from pg_proc p where pronamespace = 'review'::regnamespace and prokind = 'f' order by 1
"""
TRIGGERS = """
select tgrelid::regclass::text, tgname::text, tgfoid::regproc::text, tgtype::integer,
    tgenabled::text, tgqual is not null
from pg_trigger join pg_class c on c.oid = tgrelid
where not tgisinternal and not relispartition
    and relnamespace in ('review'::regnamespace, 'exchange'::regnamespace)
order by 1, 2
"""
RULES = """
select ev_class::regclass::text || ': the rule ' || rulename
from pg_rewrite join pg_class c on c.oid = ev_class
where relnamespace in ('review'::regnamespace, 'exchange'::regnamespace) and rulename <> '_RETURN'
"""


def differences(connection: Connection) -> list[str]:
    """Return the functions and triggers that are not as the schema's files make them, in words."""
    rules = connection.execute(text(RULES)).scalars()
    return [
        *_functions(connection),
        *_triggers(connection),
        *(f"{rule} was added" for rule in rules),
    ]


def _functions(connection: Connection) -> Iterator[str]:
    wanted = functions()
    known = {name for source in _sources() for name in _WITHOUT_TEXT.findall(source)}
    seen = set()
    for name, body, definer, settings, closed in connection.execute(text(FUNCTIONS)):
        seen.add(name)
        there = Function(body=body, definer=definer, settings=frozenset(settings))
        if name not in known:
            yield f"the function {name} was added"
        elif name in wanted and there != wanted[name]:
            yield f"the function {name} was replaced"
        if not closed:
            yield f"everybody may run {name} with its owner's rights"
    yield from (f"the function {name} is missing" for name in sorted(known - seen))


def _triggers(connection: Connection) -> Iterator[str]:
    wanted, seen = triggers(), set()
    for table, name, function, kind, enabled, conditional in connection.execute(text(TRIGGERS)):
        seen.add((table, name))
        there = Trigger(function=function, kind=kind, enabled=enabled, conditional=conditional)
        right = wanted.get((table, name))
        if right is None:
            # The exchange's own triggers on its tables are its own affair.
            if table.startswith("review."):
                yield f"{table}: the trigger {name} was added"
        elif there.enabled != right.enabled:
            yield f"{table}: the trigger {name} is switched off or weakened"
        elif there != right:
            yield f"{table}: the trigger {name} was replaced"
    for table, name in sorted(wanted.keys() - seen):
        yield f"{table}: the trigger {name} is missing"
