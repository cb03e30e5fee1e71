"""Merge the rows of a call from staging into the facts.

New rows are inserted, different rows are updated, and unchanged rows are not written, so that
loading a file twice writes nothing.
"""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection, text

from data_access.loading.kinds import FactKind, Form
from data_access.loading.problems import CAP, Kept, Notice, Problem, Problems
from data_access.loading.staging import TABLE, Places

CHANGES = "changes"


class Outcome(StrEnum):
    """The result for a valid row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "already there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A valid row: where it came from, its outcome, and its id."""

    file: str
    line: int
    outcome: Outcome
    application_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The result of a merge. ``first_day`` is the earliest UTC day whose facts changed, if any.

    ``rows`` gives the outcome of each row, for imports that keep bad rows.
    """

    inserted: int
    updated: int
    first_day: date | None = None
    rows: tuple[Arrived, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The staged rows of one call. ``names``: the files' columns; ``sha256s``: the files'."""

    connection: Connection
    kind: FactKind
    names: frozenset[str]
    places: Places
    problems: Problems
    now: datetime
    sha256s: frozenset[str]

    def run(self, statement: str) -> int:
        """Execute the statement, which may use ``:now``; returns the number of rows changed."""
        return self.connection.execute(text(statement), {"now": self.now}).rowcount

    def name_rows(self, query: str, column: str, reason: str) -> None:
        """Report a problem for each row of ``query``: its number, the value, another row's number.

        ``reason`` may contain ``{other}``, the place of that other row.
        """
        limit = "" if self.problems.keeping else f"limit {CAP}"
        found = self.connection.execute(
            text(f"select *, count(*) over () from ({query}) f order by 1 {limit}")
        ).all()
        for number, value, other, _ in found:
            file, line = self.places.of(number)
            sentence = reason.format(other=self._place(file, other) if other else "")
            problem = Problem(file=file, line=line, column=column, value=value, reason=sentence)
            self.problems.add(problem)
        if found:
            self.problems.more += found[0][-1] - len(found)
        if self.problems.keeping:
            self._set_aside([number for number, *_ in found])

    def count_once(self, query: str, column: str, reason: str) -> None:
        """Remove each row of ``query`` and report it: its number, the value, another row's number.

        ``reason`` may contain ``{other}``, the place of that other row or its id.
        """
        found = self.connection.execute(text(f"select * from ({query}) f order by 1")).all()
        for number, value, other, staged in found:
            file, line = self.places.of(number)
            where = self._place(file, other) if staged else f"{other:,}"
            self.problems.notices.append(
                Notice(
                    file=file,
                    line=line,
                    column=column,
                    value=value,
                    reason=reason.format(other=where),
                    kept=Kept.COUNTED_ONCE,
                )
            )
        self._set_aside([number for number, *_ in found])

    def _set_aside(self, numbers: list[int]) -> None:
        if numbers:
            self.connection.execute(
                text(f"delete from {TABLE} where staged = any(:numbers)"), {"numbers": numbers}
            )

    def _place(self, file: str, number: int) -> str:
        there, line = self.places.of(number)
        return f"line {line:,}" if there == file else f"line {line:,} of {there}"


def refuse_repeated(arrival: Arrival, key: tuple[str, ...], where: str = "true") -> None:
    """Raise LoadRefused if two staged rows have the same key."""
    keys, value = ", ".join(key), ", ".join(f"s.{name}" for name in key)
    same = " and ".join(f"s.{name} = r.{name}" for name in key)
    arrival.name_rows(
        f"select s.staged, concat_ws(', ', {value}), r.first from {TABLE} s join "
        f"(select {keys}, min(staged) as first from {TABLE} where {where} group by {keys} "
        f"having count(*) > 1) r on {same} where s.staged > r.first",
        keys,
        "has the same key as {other}; keep one of them",
    )
    arrival.problems.refuse_if_any()


def staged_value(kind: FactKind, name: str) -> str:
    """Return the SQL of a staged value as the table stores it: NFC text, defaults for empty."""
    column = kind.by_name[name]
    value = f"normalize(s.{name}, nfc)" if column.form is Form.TEXT else f"s.{name}"
    return f"coalesce({value}, '{column.default}')" if column.default else value


def upsert(arrival: Arrival, *, which: str = "true", among: str = "true", also: str = "") -> Merged:
    """Update rows that differ and insert missing ones, by the kind's key.

    ``which`` filters staged rows (s); ``among`` bounds the table's (t), for the planner; ``also``
    is a column that is set to ``:now`` in new rows.
    """
    kind, columns = arrival.kind, _columns(arrival)
    arrival.run(f"analyze {TABLE}")
    arrival.run(_changes(arrival, columns, which, among))
    arrival.run(f"analyze {CHANGES}")
    keys, facts = ", ".join(kind.key), ", ".join(columns)
    changed = ", ".join(f"c.{name}" for name in columns)
    updated = arrival.run(
        f"update {kind.table} t set ({facts}) = row({changed}) from {CHANGES} c "
        f"where not c.is_new and {among} and {_same(kind, 'c')}"
    )
    extra, extra_value = (f", {also}", ", :now") if also else ("", "")
    inserted = arrival.run(
        f"insert into {kind.table} ({keys}, {facts}{extra}) "
        f"select {keys}, {facts}{extra_value} from {CHANGES} where is_new"
    )
    first_day = arrival.connection.execute(
        text(f"select min(least(old_day, new_day)) from {CHANGES}")
    ).scalar_one()
    return Merged(inserted=inserted, updated=updated, first_day=first_day)


def _changes(arrival: Arrival, columns: list[str], which: str, among: str) -> str:
    """Find new and different rows, and their days, in one pass over both sides."""
    kind = arrival.kind
    values = ", ".join(staged_value(kind, name) for name in columns)
    named = ", ".join(f"{staged_value(kind, name)} as {name}" for name in columns)
    current = ", ".join(f"t.{name}" for name in columns)
    keys = ", ".join(f"s.{name}" for name in kind.key)
    return (
        f"create temporary table {CHANGES} on commit drop as "
        f"select {keys}, {named}, t.{kind.key[0]} is null as is_new, "
        f"{kind.day.format(side='t')} as old_day, {kind.day.format(side='s')} as new_day "
        f"from (select * from {TABLE} where {which}) s "
        f"left join {kind.table} t on {_same(kind, 's')} and {among} "
        f"where t.{kind.key[0]} is null or ({current}) is distinct from ({values})"
    )


def _columns(arrival: Arrival) -> list[str]:
    given = arrival.names - set(arrival.kind.key)
    return [column.name for column in arrival.kind.columns if column.name in given]


def _same(kind: FactKind, side: str) -> str:
    return " and ".join(f"t.{name} = {side}.{name}" for name in kind.key)
