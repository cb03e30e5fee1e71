"""Load files of facts: all rows of a call or none, with a report of what is wrong.

Each file is read in blocks, its values are validated in one place (`validation`, by the rules in
`kinds`), and valid blocks go by COPY into a staging table. Once every file is valid the staged rows
are merged into the facts, in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Engine

from data_access.loading import calls, form_map, manifests, merging, sources
from data_access.loading.airtable import Export
from data_access.loading.arrival import Merged
from data_access.loading.calls import Call, Progress
from data_access.loading.form_map import FormMap
from data_access.loading.kinds import KINDS, FactKind, kind_named
from data_access.loading.problems import LoadRefused, Notice, Problem, Problems
from data_access.loading.sources import Source

__all__ = [
    "FORMATS",
    "KINDS",
    "Delivery",
    "LoadRefused",
    "LoadReport",
    "Problem",
    "Progress",
    "load",
]

FORMATS = ("csv", "airtable")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """The result of a load. ``first_day`` is the earliest UTC day whose facts changed, if any."""

    kind: str
    load_id: int
    rows_read: int
    rows_inserted: int
    rows_updated: int
    first_day: date | None
    rows_blank: int = 0
    notices: tuple[Notice, ...] = ()

    def __str__(self) -> str:
        blank = f" Blank rows skipped: {self.rows_blank:,}." if self.rows_blank else ""
        return (
            f"{self.kind}: {self.rows_read:,} rows read, {self.rows_inserted:,} new, "
            f"{self.rows_updated:,} changed.{blank}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Files of one kind to load.

    ``manifest`` and ``mapping`` are TOML files (see docs/loading.md); ``mapping`` is for the
    format airtable.
    """

    kind: str
    paths: Sequence[Path]
    manifest: Path | None = None
    source_format: str = "csv"
    mapping: Path | FormMap | None = None


def load(
    engine: Engine, delivery: Delivery, *, now: datetime, progress: Progress | None = None
) -> LoadReport:
    """Load files in one transaction; raises LoadRefused and changes nothing.

    ``now`` is an aware time; facts after it are refused. ``progress`` is called with the bytes
    read so far and the total.
    """
    named, mapping, manifest = kind_named(delivery.kind), delivery.mapping, delivery.manifest
    _require_meant(named, delivery.source_format, mapping)
    read_map = mapping if isinstance(mapping, FormMap) else form_map.read(mapping)
    export = Export(read_map) if delivery.source_format == "airtable" else None
    notify = progress or _ignore
    files = sources.find([Path(path) for path in delivery.paths])
    promises = manifests.read(manifest, named, [file.name for file in files]) if manifest else {}
    with engine.begin() as connection:
        call = calls.begin(connection, named, Problems(), now=now, export=export)
        calls.stage_all(call, files, notify)
        calls.keep_promises(call, files, promises)
        merging.wait_for_turn(connection)
        try:
            merged = merging.merge(calls.arrival(call, files))
        except LoadRefused:
            calls.refuse(call)
            raise
        return _record(call, named, files, merged)


def _require_meant(kind: FactKind, source_format: str, mapping: Path | FormMap | None) -> None:
    if source_format not in FORMATS:
        raise _misused(f"is not a format; the formats are {', '.join(FORMATS)}", source_format)
    if source_format == "airtable" and kind.name != "applications":
        refuse_kind(kind.name)
    if source_format != "airtable" and mapping is not None:
        raise _misused(
            "is a map, which goes with --format airtable only",
            mapping.name if isinstance(mapping, Path) else "The map",
        )


def refuse_kind(kind: str) -> NoReturn:
    """Refuse a kind that forms do not have. Raises LoadRefused."""
    raise _misused("cannot come from Airtable; only applications can", kind)


def _misused(reason: str, what: str) -> LoadRefused:
    return LoadRefused((Problem(file=what, reason=reason),))


def _record(call: Call, kind: FactKind, files: list[Source], merged: Merged) -> LoadReport:
    load_id = calls.keep_record(call, kind, files, merged)
    return LoadReport(
        kind=kind.name,
        load_id=load_id,
        rows_read=call.places.rows,
        rows_inserted=merged.inserted,
        rows_updated=merged.updated,
        first_day=merged.first_day,
        rows_blank=call.rows_blank,
        notices=tuple(call.problems.notices),
    )


def _ignore(_done: int, _total: int) -> None:
    pass
