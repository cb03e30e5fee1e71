"""An Airtable CSV export of the application form, read as an applications file.

Which of the form's fields is which column is data: the defaults below, or a map of one's own.
"""

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from data_access.loading.explanations import IS_MOMENT
from data_access.loading.kinds import KINDS, Column, Form
from data_access.loading.parquet_blocks import as_csv
from data_access.loading.problems import LoadRefused, Problem, Problems
from data_access.loading.sources import Source, Unreadable
from data_access.loading.validation import Batch

if TYPE_CHECKING:
    from _csv import Reader as Rows

ROWS = 5_000
# Who applied may be named by id, by username, or by either in one field.
WHO = ("account_id", "username", "account")
TARGETS = (*KINDS["applications"].by_name, "username", "account")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "application_id": ("Application ID",),
    "account_id": ("Account ID", "UID", "User ID", "Exchange UID", "Exchange Account ID"),
    "username": ("Username", "User Name", "Account Name", "Exchange Username"),
    "account": ("Account", "Exchange Account"),
    "social_platform": ("Social Media Platform", "Social Platform"),
    "social_handle": (
        "Social Media Account Name",
        "Social Media Account",
        "Social Media Handle",
        "Social Handle",
    ),
    "contact_platform": ("Contact Platform", "Preferred Contact Platform"),
    "contact_handle": ("Contact Information", "Contact Info", "Contact Handle"),
    "submitted_at": ("Created", "Created Time", "Submitted At", "Submitted", "Submission Time"),
}
PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "x": ("x", "twitter", "x (twitter)", "twitter (x)", "x/twitter", "twitter/x", "x / twitter"),
    "telegram": ("telegram", "tg"),
    "discord": ("discord",),
    "email": ("email", "e-mail", "mail"),
    "whatsapp": ("whatsapp", "whats app"),
    "youtube": ("youtube", "you tube"),
    "instagram": ("instagram", "ig"),
    "tiktok": ("tiktok", "tik tok"),
    "facebook": ("facebook", "fb"),
    "wechat": ("wechat", "we chat"),
}
ZONE_ADVICE = (
    "is not a time with its zone, such as 2026-03-01T10:00:00.000Z; in Airtable add a formula "
    "field DATETIME_FORMAT(SETTIMEZONE({the field}, 'UTC'), 'YYYY-MM-DD[T]HH:mm:ss.SSS[Z]') "
    "and export that"
)
KIND = replace(
    KINDS["applications"],
    columns=(
        *(
            replace(column, required=False) if column.name == "account_id" else column
            for column in KINDS["applications"].columns
        ),
        Column(name="account_name", form=Form.TEXT, sql_type="text", required=False),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A map: column to field name, and the form's words for platforms."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: FIELDS)
    platforms: Mapping[str, str] = field(
        default_factory=lambda: {
            word: platform for platform, words in PLATFORMS.items() for word in words
        }
    )


def read_map(path: Path | None) -> Mapped:
    """The map in that TOML file over the defaults; raises LoadRefused."""
    if path is None:
        return Mapped()
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _map_refused(path, "does not exist; check the path") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _map_refused(path, f"is not TOML ({error})") from error
    for part in ("fields", "platforms"):
        if not isinstance(told.get(part, {}), dict):
            raise _map_refused(path, f"has {part} that are no table; write [{part}]")
    unknown = [key for key in told if key not in ("fields", "platforms")]
    unknown += [key for key in told.get("fields", {}) if key not in TARGETS]
    if unknown:
        reason = f"names {', '.join(unknown)}; under [fields] it may name {', '.join(TARGETS)}"
        raise _map_refused(path, reason)
    return _over_defaults(told)


def _over_defaults(told: dict[str, Any]) -> Mapped:
    chosen = {column: (str(name),) for column, name in told.get("fields", {}).items()}
    taken = {name for names in chosen.values() for name in names}
    # Naming one way to the account takes the other ways' defaults away.
    replaced = {*chosen, *(WHO if any(who in chosen for who in WHO) else ())}
    defaults = {
        column: tuple(name for name in names if name not in taken)
        for column, names in FIELDS.items()
        if column not in replaced
    }
    words = {str(word).lower(): str(name) for word, name in told.get("platforms", {}).items()}
    return Mapped(fields={**defaults, **chosen}, platforms={**Mapped().platforms, **words})


def _map_refused(path: Path, reason: str) -> LoadRefused:
    return LoadRefused((Problem(file=path.name, reason=reason),))


def header_and_batches(
    mapped: Mapped, source: Source, problems: Problems
) -> Iterator[list[str] | Batch]:
    """First the column names (`account_name` where rows name accounts), then the rows.

    Raises Unreadable.
    """
    with source.opened() as (unpacked, counted):
        text = io.TextIOWrapper(unpacked, "utf-8-sig", newline="")
        reader = csv.reader(text, strict=True)
        try:
            header = next(reader, [])
            places = _places(source.name, header, mapped, problems)
            if not places:
                return
            names = _column_names(places)
            yield names
            rows = _rows(source.name, reader, len(header), problems)
            any_rows = False
            while chunk := list(islice(rows, ROWS)):
                any_rows = True
                yield _batch(source.name, chunk, names, places, mapped, counted.position)
        except UnicodeDecodeError as error:
            raise Unreadable("is not UTF-8; export it from Airtable as CSV") from error
        except csv.Error as error:
            raise Unreadable(f"is not CSV from line {reader.line_num:,} on ({error})") from error
        if not any_rows:
            raise Unreadable("has a header and no rows")


def _places(file: str, header: list[str], mapped: Mapped, problems: Problems) -> dict[str, int]:
    """Which field of the export each column is."""
    given = [name.strip().lower() for name in header]
    places: dict[str, int] = {}
    wrong = []
    for column, names in mapped.fields.items():
        found = [at for at, name in enumerate(given) if name in {n.lower() for n in names}]
        if len(found) > 1:
            both = " and ".join(f"`{header[at]}`" for at in found)
            wrong.append((column, f"could be {both}; say which with --map"))
        elif found:
            places[column] = found[0]
    wrong += [
        (column, f"is none of the export's fields; name the field with --map{_listed(header)}")
        for column in ("social_handle", "submitted_at")
        if column not in places and column not in dict(wrong)
    ]
    if not any(who in places or who in dict(wrong) for who in WHO):
        wrong.append(
            ("account_id", f"or `username` is no field; name one with --map{_listed(header)}")
        )
    for column, reason in wrong:
        problems.add(Problem(file=file, line=1, column=column, reason=reason))
    return {} if wrong else places


def _listed(header: list[str]) -> str:
    return f" (it has {', '.join(header)})"


def _column_names(places: dict[str, int]) -> list[str]:
    columns = [name for name in KINDS["applications"].by_name if name in places]
    if "account" in places and "account_id" not in places:
        columns.append("account_id")
    named = "username" in places or "account" in places
    return [*columns, "account_name"] if named else columns


def _rows(
    file: str, reader: "Rows", width: int, problems: Problems
) -> Iterator[tuple[int, list[str]]]:
    """Each row and the line it starts on; a row may take several lines."""
    line = reader.line_num + 1
    for row in reader:
        if len(row) != width:
            reason = f"has {len(row)} columns instead of {width}"
            problems.add(Problem(file=file, line=line, reason=reason))
        elif any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1


def _batch(
    file: str,
    chunk: list[tuple[int, list[str]]],
    names: list[str],
    places: dict[str, int],
    mapped: Mapped,
    done: int,
) -> Batch:
    records = [_record(row, places, mapped) for _, row in chunk]
    columns = {
        name: pa.array([record.get(name, "") for record in records], pa.string()) for name in names
    }
    return Batch(
        file=file,
        columns=columns,
        lines=np.array([line for line, _ in chunk], np.int64),
        payload=as_csv(columns),
        bytes_done=done,
    )


def _record(row: list[str], places: dict[str, int], mapped: Mapped) -> dict[str, str]:
    # A form's long text may hold line breaks; in one cell they are one space.
    record = {column: " ".join(row[at].split()) for column, at in places.items()}
    either = record.pop("account", "")
    if either.isascii() and either.isdigit():
        record["account_id"] = record.get("account_id") or either
    elif either:
        record["username"] = record.get("username") or either
    record["account_name"] = record.pop("username", "").removeprefix("@")
    for column in ("social_platform", "contact_platform"):
        if column in record:
            word = record[column].lower()
            record[column] = mapped.platforms.get(word, word)
    if "status" in record:
        record["status"] = record["status"].lower()
    return record


def advise(problem: Problem) -> Problem:
    """The problem with Airtable's own remedy, where a time is written without its zone."""
    value = problem.value or ""
    if problem.column != "submitted_at" or not value or IS_MOMENT.match(value):
        return problem
    return replace(problem, reason=ZONE_ADVICE)
