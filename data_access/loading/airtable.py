"""Read a CSV export of the application form from Airtable as an applications file.

Which field is which column is data (`form_map`). Cells are cleaned of invisible characters, and
every change is reported; a cell that is not one value is reported, not guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pyarrow as pa

from data_access.loading import form_text
from data_access.loading.explanations import IS_MOMENT
from data_access.loading.form_map import WHO, FormMap
from data_access.loading.form_text import FormText, Line
from data_access.loading.kinds import KINDS, ColumnRule, Form
from data_access.loading.problems import Kept, Notice, Problem, Problems
from data_access.loading.sources import UTF_16, Source, Unreadable
from data_access.loading.validation import Batch, as_csv
from program.text import invisible, platforms
from program.text.folding import word

ROWS = 5_000
# Only a platform's own name is recognized next to other words, separated by a space.
LABELS = frozenset(word(platform.label) for platform in platforms.PLATFORMS)
PLATFORM_COLUMNS = ("social_platform", "contact_platform")
# How a form names the account: by id, by username, or by either in one field.
NAMED_BY = ("account_id", "account_name", "account_either")
# Separators in multiple-choice fields and lists, in any script.
BETWEEN = re.compile(r"[,;|\n\t\u060c\u061b\u2022\u201a\u3001\uff0c\uff1b\uff5c]", re.IGNORECASE)
# Words between two names; each is a separator only with names on both sides.
BETWEEN_NAMES = re.compile(
    r"[/\\&+:\u00b7\uff0f]|\s[-\u2013\u2014]\s"
    r"|\s(?:and|or|und|oder|et|ou|y|o|e|ve|veya|dan|atau|\u0438|\u0438\u043b\u0438)\s",
    re.IGNORECASE,
)
SPACE = re.compile(r"\s")
DECIMAL = re.compile(r"^[0-9][0-9,' ]*\.[0-9]+$")
GROUPED = re.compile(r"^[0-9]{1,3}([,' ][0-9]{3})+$")
DECIMAL_ADVICE = (
    "is a number with decimals; in Airtable open the field's formatting, choose Integer instead "
    "of Decimal (its precision), and export again"
)
GROUPED_ADVICE = (
    "is a number with thousands separators; in Airtable open the field's formatting, switch "
    "them off, and export again"
)
ZONE_ADVICE = (
    "is not a time with its zone, such as 2026-03-01T10:00:00.000Z; say under [dates] of a map "
    "in which format and zone the table shows it, or in Airtable add a formula "
    "field DATETIME_FORMAT(SETTIMEZONE({the field}, 'UTC'), 'YYYY-MM-DD[T]HH:mm:ss.SSS[Z]') "
    "and export that"
)
NO_FIELDS = (
    "names none of the form's fields; take out what stands above the row of field names, "
    "or name the fields in the map (--map)"
)
WAY_ON = (
    "To load the good rows and keep these for later, add --keep-rest, "
    "or use the Import page of the dashboard."
)
KIND = replace(
    KINDS["applications"],
    columns=(
        *(
            replace(column, required=False) if column.name == "account_id" else column
            for column in KINDS["applications"].columns
        ),
        ColumnRule(name="account_name", form=Form.TEXT, sql_type="text", required=False),
        ColumnRule(name="account_either", form=Form.TEXT, sql_type="text", required=False),
    ),
)


@dataclass
class Export:
    """One call's reading of exports with one map, and the results per field and row."""

    form_map: FormMap
    header: tuple[str, ...] = ()
    places: dict[str, int] = field(default_factory=dict)
    lines: dict[int, Line] = field(default_factory=dict)
    text: FormText | None = None
    remember: bool = False

    def header_and_batches(self, source: Source, problems: Problems) -> Iterator[list[str] | Batch]:
        """Yield the column names, then the rows. Raises Unreadable."""
        self.text = read_text(source, self.form_map)
        done = source.size
        rows = self.text.lines()
        self.header = tuple(invisible.clean(cell).text for cell in _first(rows).cells)
        problems.notices += [
            Notice(file=source.name, reason=remark, kept=Kept.FILE) for remark in self.text.remarks
        ]
        self.places = _places(source.name, self.header, self.form_map, problems)
        if not self.places:
            return
        names = [name for name in KINDS["applications"].by_name if name in self.places]
        names = [name for name in names if name not in NAMED_BY] + [*NAMED_BY]
        yield names
        any_rows, blank = False, 0
        while chunk := list(islice(rows, ROWS)):
            filled = [line for line in chunk if not line.is_blank]
            blank = len(chunk) - len(filled)
            any_rows = any_rows or bool(filled)
            yield self._batch(source.name, filled, names, blank, done, problems)
        if not any_rows:
            raise Unreadable("has a header and no rows")

    def field_of(self, column: str) -> str:
        """Return the form's field that a column is read from, or the column."""
        named = {"account_name": "username", "account_either": "account"}.get(column, column)
        at = self.places.get(named)
        return self.header[at] if at is not None else column

    def _batch(
        self,
        file: str,
        chunk: list[Line],
        names: list[str],
        blank: int,
        done: int,
        problems: Problems,
    ) -> Batch:
        if self.remember:
            self.lines.update((line.line, line) for line in chunk)
        shaped, faults = _shaped(file, chunk, self.header)
        records = []
        for line in shaped:
            record = Record(file, line, self.places, self.form_map)
            records.append(record.values)
            faults += record.faults
            problems.notices += record.notices
        columns = {
            name: pa.array([values.get(name, "") for values in records], pa.string())
            for name in names
        }
        return Batch(
            file=file,
            columns=columns,
            lines=np.array([line.line for line in shaped], np.int64),
            payload=as_csv(columns),
            bytes_done=done,
            faults=tuple(faults),
            blank_rows=blank,
        )


class Record:
    """One row as columns; ``faults`` and ``notices`` hold the remarks on it."""

    def __init__(self, file: str, line: Line, places: dict[str, int], form_map: FormMap) -> None:
        self.file, self.line, self.form_map = file, line, form_map
        self.faults: list[Problem] = []
        self.notices: list[Notice] = []
        # Long text may contain line breaks; in one cell they become one space.
        self.values = {column: self._cell(column, line.cells[at]) for column, at in places.items()}
        self._name_account()
        for column in PLATFORM_COLUMNS:
            if column in places:
                self.values[column] = self._platform(column, line.cells[places[column]])
        if "status" in places:
            word = self.values["status"].lower()
            self.values["status"] = form_map.statuses.get(word, word)
        self._read_date()

    def _cell(self, column: str, written: str) -> str:
        if not written.isascii() and any("\udc80" <= sign <= "\udcff" for sign in written):
            shown = written.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            self._fault(column, shown, "has damaged bytes that are not UTF-8; write it again")
            return "?"
        cleaned = invisible.clean(written)
        if cleaned.changes:
            self.notices.append(
                Notice(
                    file=self.file,
                    line=self.line.line,
                    column=column,
                    value=cleaned.text,
                    reason=f"was taken {cleaned.changes}",
                    kept=Kept.CLEANED,
                )
            )
        return cleaned.text

    def _fault(self, column: str, value: str, reason: str) -> None:
        self.faults.append(
            Problem(file=self.file, line=self.line.line, column=column, value=value, reason=reason)
        )

    def _name_account(self) -> None:
        either = self.values.pop("account", "")
        username = self.values.pop("username", "")
        if either.startswith("@") and not username:
            username, either = either, ""
        self.values["account_name"] = username.removeprefix("@")
        explicit = self.values.get("account_id") or username
        self.values["account_either"] = "" if explicit else either

    def _platform(self, column: str, written: str) -> str:
        """Return the platform in a cell; several are a fault, unless the map has them as one."""
        whole = self.values[column]
        known = self.form_map.platforms.get(whole.lower())
        if known is not None or not whole:
            return known or whole
        parts = _named(written, self.form_map)
        if len(parts) == 1:
            return self.form_map.platforms.get(parts[0].lower()) or platforms.platform_name(
                parts[0]
            )
        listed = ", ".join(f"`{one}`" for one in parts)
        self._fault(
            column,
            self.values[column],
            f"names several platforms ({listed}); leave one, "
            "or say under [platforms] of a map which one it stands for",
        )
        return ""

    def _read_date(self) -> None:
        written, style = self.values.get("submitted_at", ""), self.form_map.dates
        if style is None or not written or IS_MOMENT.match(written):
            return
        try:
            self.values["submitted_at"] = f"{style.read(written):%4Y-%m-%dT%H:%M:%SZ}"
        except ValueError:
            # It is refused as it is, and `advise` says why.
            return


def read_text(source: Source, form_map: FormMap) -> FormText:
    """Return the text of an export, read as the map says. Raises Unreadable."""
    with source.opened(allowed=UTF_16) as (unpacked, _):
        return form_text.read(
            unpacked,
            form_map.field_names,
            encoding=form_map.encoding,
            delimiter=form_map.delimiter,
        )


def _first(rows: Iterator[Line]) -> Line:
    """Return the header row, the first that is not blank."""
    for line in rows:
        if not line.is_blank:
            return line
    raise Unreadable("is empty")


def several(written: str, form_map: FormMap) -> list[str]:
    """Return the platforms that a cell names, if it is more than one."""
    parts = _named(written, form_map)
    return parts if len(parts) > 1 else []


def _named(written: str, form_map: FormMap) -> list[str]:
    """Return the platforms that a cell names, each once; text that cannot be split is one."""
    cleaned = invisible.clean(written).text
    whole = cleaned.strip(" ,;|\u2022") or cleaned
    if _meant(whole, form_map) in platforms.BY_KEY:
        return [whole]
    parts = _parts(BETWEEN, written)
    if len(parts) == 1:
        parts = _parts(BETWEEN_NAMES, written)
        if not all(_meant(part, form_map) in platforms.BY_KEY for part in parts):
            parts = _parts(SPACE, written)
            if not all(word(part) in LABELS for part in parts):
                return [whole]
    return [*{_meant(part, form_map): part for part in reversed(parts)}.values()][::-1] or [whole]


def _meant(name: str, form_map: FormMap) -> str:
    """Return the key of the platform that a name means."""
    return platforms.platform_key(form_map.platforms.get(name.lower()) or name)


def _parts(between: re.Pattern[str], written: str) -> list[str]:
    parts = (" ".join(invisible.clean(part).text.split()) for part in between.split(written))
    return [name for part in parts if (name := part.strip('[]" '))]


def _shaped(
    file: str, chunk: list[Line], header: tuple[str, ...]
) -> tuple[list[Line], list[Problem]]:
    """Return the rows with a cell per field, and the problems of the others.

    The empty columns that spreadsheets add after a table may be missing.
    """
    good, faults = [], []
    width = len(header)
    named = next((at for at in range(width, 0, -1) if header[at - 1]), 0)
    for line in chunk:
        cells = line.cells
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]
        if named <= len(cells) < width:
            cells = (*cells, *[""] * (width - len(cells)))
        if len(cells) == width:
            good.append(replace(line, cells=cells))
            continue
        counted = f"has {len(cells)} columns instead of {width}"
        faults.append(
            Problem(
                file=file,
                line=line.line,
                reason=f"{counted}; the row is cut short"
                if len(cells) < width
                else f"{counted}; a value that holds a comma needs quotes",
            )
        )
    return good, faults


def _places(
    file: str, header: tuple[str, ...], form_map: FormMap, problems: Problems
) -> dict[str, int]:
    """Return the export's field for each column."""
    given = [form_text.folded(name) for name in header]
    places: dict[str, int] = {}
    wrong = []
    for column, names in form_map.fields.items():
        sought = {form_text.folded(name) for name in names}
        found = [at for at, name in enumerate(given) if name in sought]
        if len(found) > 1:
            wrong.append((column, _either([header[at] for at in found])))
        elif found:
            places[column] = found[0]
    if not places and not wrong:
        # Such as a title above the table: do not report each field.
        problems.spoil(Problem(file=file, line=1, reason=NO_FIELDS + _listed(header)))
        return {}
    wrong += [
        (
            column,
            f"is none of the export's fields; name the field in the map (--map){_listed(header)}",
        )
        for column in ("social_handle", "submitted_at")
        if column not in places and column not in dict(wrong)
    ]
    if not any(who in places or who in dict(wrong) for who in WHO):
        wrong.append(
            (
                "account_id",
                f"or `username` is no field; name one in the map (--map){_listed(header)}",
            )
        )
    for column, reason in wrong:
        problems.spoil(Problem(file=file, line=1, column=column, reason=reason))
    return {} if wrong else places


def _listed(header: tuple[str, ...]) -> str:
    return f" (it has {', '.join(name for name in header if name)})"


def _either(names: list[str]) -> str:
    """Return why one of several fields with these names cannot be chosen."""
    if len({form_text.folded(name) for name in names}) == 1:
        return f"stands above {len(names)} columns, `{names[0]}`; rename all but one of them"
    return f"could be {' and '.join(f'`{name}`' for name in names)}; say which with --map"


def advise(problem: Problem, form_map: FormMap) -> Problem:
    """Return the problem with the remedy for the form's own table, if there is one."""
    reason = _advice(problem.column or "", problem.value or "", form_map)
    return replace(problem, reason=reason) if reason else problem


def _advice(column: str, value: str, form_map: FormMap) -> str | None:
    if column in ("account_id", "application_id", "account"):
        if DECIMAL.match(value):
            return DECIMAL_ADVICE
        if GROUPED.match(value):
            return GROUPED_ADVICE
    if column != "submitted_at" or not value or IS_MOMENT.match(value):
        return None
    if form_map.dates is None:
        return ZONE_ADVICE
    try:
        form_map.dates.read(value)
    except ValueError as error:
        return str(error)
    return None
