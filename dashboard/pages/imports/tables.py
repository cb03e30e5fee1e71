"""Tables of imports: results by row, the first rows of a file, past imports.

Names of files and fields, and all cells, are foreign text and are shown only in cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import streamlit as st

from dashboard.ui import cells as typed
from dashboard.ui import headings

ROW_HEIGHT = 30
# Room for two lines, in tables with sentences on what to do.
TALL_ROW_HEIGHT = 48
TALLEST = 520
OUTCOME_SIGNS = {
    "new": "✓ new",
    "changed": "✓ changed",
    "already there": "= already there",
    "counted once": "= counted once",
    "kept for later": "! kept for later",
    "already kept": "! already kept",
    "settled earlier": "= settled earlier",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """A row of a file, or one problem in it."""

    row: int
    outcome: str
    field: str = ""
    value: str = ""
    wrong: str = ""
    remedy: str = ""
    application_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastImport:
    """An import in the list; ``counts`` by outcome."""

    import_id: int
    when: datetime
    who: str
    file: str
    map_name: str
    counts: Mapping[str, int]


def report(lines: Sequence[ReportLine]) -> None:
    """Draw the result of each row, before or after loading."""
    config = st.column_config
    _draw(
        {
            "row": typed.whole([line.row for line in lines]),
            "outcome": [OUTCOME_SIGNS[line.outcome] for line in lines],
            "field": [line.field for line in lines],
            "value": [line.value for line in lines],
            "wrong": [line.wrong for line in lines],
            "remedy": [line.remedy for line in lines],
            "application": [
                f"/application?id={line.application_id}" if line.application_id else ""
                for line in lines
            ],
        },
        "Result of each row",
        {
            "row": typed.number_column("Row", width=60),
            "outcome": config.TextColumn("Outcome", width=130),
            "field": config.TextColumn("Field", width=150),
            "value": config.TextColumn("Value", width=160),
            "wrong": config.TextColumn("Problem or change", width=330),
            "remedy": config.TextColumn("What to do", width=330),
            "application": config.LinkColumn(
                "Application", display_text=r"id=(\d+)", width=90, help="Open the application"
            ),
        },
        TALL_ROW_HEIGHT if any(line.wrong for line in lines) else ROW_HEIGHT,
    )


def preview(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw the first rows of a file."""
    titles = [str(at) for at in range(len(header))]
    cells = {
        title: pa.array([row[at] if at < len(row) else "" for row in rows], pa.string())
        for at, title in enumerate(titles)
    }
    config = {
        title: st.column_config.TextColumn(name or "(no name)", width=160)
        for title, name in zip(titles, header, strict=True)
    }
    _draw(cells, "The first rows as they were read", config)


def past(imports: Sequence[PastImport]) -> None:
    """Draw past imports, newest first."""
    config = st.column_config
    numbers = {
        "new": "New",
        "changed": "Changed",
        "already there": "Already there",
        "counted once": "Counted once",
        "kept for later": "Kept",
    }
    counts = {name: typed.whole([one.counts.get(name, 0) for one in imports]) for name in numbers}
    _draw(
        {
            "import": [f"/import?show=history&import={one.import_id}" for one in imports],
            "when": typed.moments([one.when for one in imports]),
            "who": [one.who for one in imports],
            "file": [one.file for one in imports],
            "map": [one.map_name for one in imports],
            **counts,
        },
        "Imports that were made",
        {
            "import": config.LinkColumn(
                "Import", display_text=r"import=(\d+)", width=70, help="Shows its report"
            ),
            "when": typed.moment_column("When"),
            "who": config.TextColumn("Who", width=180),
            "file": config.TextColumn("File", width=240),
            "map": config.TextColumn("Map", width=140),
            **{name: typed.number_column(title, width=100) for name, title in numbers.items()},
        },
    )


def _draw(
    cells: Mapping[str, object],
    alt: str,
    config: Mapping[str, object],
    row_height: int = ROW_HEIGHT,
) -> None:
    table = pa.table(dict(cells))
    headings.table(
        table,
        key=f"import-{alt.lower().replace(' ', '-')}",
        alt=alt,
        row_height=row_height,
        height=min(row_height * table.num_rows + ROW_HEIGHT + 10, TALLEST),
        column_config=dict(config),
    )
