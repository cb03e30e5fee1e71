"""Tables of imports: results by row, the first rows of a file, past imports.

Names of files and fields, and all cells, are foreign text and are shown only in cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.ui import grid, lookups
from data_access.loading.imports import Import

# Room for two lines, in tables with sentences on what to do.
TALL_ROW_HEIGHT = 48
ROWS_SHOWN, TALL_ROWS_SHOWN = 16, 10
OUTCOME_SIGNS = {
    "new": "✓ new",
    "changed": "✓ changed",
    "already there": "= already there",
    "counted once": "= counted once",
    "kept for later": "! kept for later",
    "already kept": "! already kept",
    "settled earlier": "= settled earlier",
}
COUNTED = {
    "new": "New",
    "changed": "Changed",
    "already there": "Already there",
    "counted once": "Counted once",
    "kept for later": "Kept",
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


def report(lines: Sequence[ReportLine]) -> None:
    """Draw the result of each row, before or after loading."""
    _draw(
        {
            "row": grid.whole("Row", [line.row for line in lines], width=60),
            "outcome": grid.text(
                "Outcome", [OUTCOME_SIGNS[line.outcome] for line in lines], width=130
            ),
            "field": grid.text("Field", [line.field for line in lines], width=150),
            "value": grid.text("Value", [line.value for line in lines], width=160),
            "wrong": grid.text("Problem or change", [line.wrong for line in lines], width=330),
            "remedy": grid.text("What to do", [line.remedy for line in lines], width=330),
            "application": grid.applications([line.application_id for line in lines], width=90),
        },
        "Result of each row",
        tall=any(line.wrong for line in lines),
    )


def preview(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw the first rows of a file."""
    columns = {
        str(at): grid.text(
            name or "(no name)", [row[at] if at < len(row) else "" for row in rows], width=160
        )
        for at, name in enumerate(header)
    }
    _draw(columns, "The first rows as they were read")


def past(imports: Sequence[Import]) -> None:
    """Draw past imports, newest first."""
    paths = [f"/import?show=history&import={one.import_id}" for one in imports]
    _draw(
        {
            "import": grid.links(
                "Import", paths, r"import=(\d+)", width=70, help="Shows its report"
            ),
            "when": grid.moment("When", [one.imported_at for one in imports]),
            "who": grid.text("Who", [lookups.named(one.imported_by) for one in imports], width=180),
            "file": grid.text("File", [one.file_name for one in imports], width=240),
            "map": grid.text("Map", [one.map_name or "" for one in imports], width=140),
            **{
                name: grid.whole(title, [one.counts.get(name, 0) for one in imports], width=100)
                for name, title in COUNTED.items()
            },
        },
        "Past imports",
    )


def _draw(columns: Mapping[str, grid.GridColumn], alt: str, *, tall: bool = False) -> None:
    grid.draw(
        columns,
        key=f"import-{alt.lower().replace(' ', '-')}",
        alt=alt,
        row_height=TALL_ROW_HEIGHT if tall else grid.LOW_ROW_HEIGHT,
        most_high=TALL_ROWS_SHOWN if tall else ROWS_SHOWN,
    )
