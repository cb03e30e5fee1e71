"""What the figures of docs/performance.md say per million rows, for docs/scaling.md."""

import re
from pathlib import Path

from docs.generated import table

REPORT = Path(__file__).with_name("performance.md").read_text(encoding="utf-8")
# The steps that read activity: their name in the report, and in the table.
STEPS = {
    "load all activity": "load all activity",
    "refresh, everything": "a full refresh: every day, month and sum anew",
    "refresh, one more day": "a refresh of one more day",
    "recount, after it": "the full count of a month, once a day",
}
CORES = 2
SIZES = {"10^8": 100, "10^9": 1_000, "10^10": 10_000}
WORKERS = 16
# Of a row of activity, measured over a million made-up ones: table and key; Parquet.
ROW_BYTES, FILE_BYTES = 133, 11


def steps() -> str:
    """Return what each step takes, and per million rows of the whole."""
    rows = [
        (words, f"{_seconds(step):,.1f} s", _per_million(step), _ratio(step))
        for step, words in STEPS.items()
    ]
    head = ("step", f"at {_million_rows():g} million rows", "per million rows", "of plain SQL")
    return table(head, rows)


def curve() -> str:
    """Return what a rerun of each page takes and reads at every size of the newest curve."""
    block = REPORT.rpartition("a rerun, ms ")[2]
    sizes = block.splitlines()[0].split(" ratio")[0]
    heads = [f"{millions} million" for millions in re.findall(r"([\d.]+) M", sizes)]
    rows = re.findall(r"^(\S.*?)\s{2,}([\d ]+)\s([\d.]+)x \w+\s+([\d, ]+)$", block, re.M)
    head = ("page", *(f"{one}, ms" for one in heads), "ratio", *(f"{one}, rows" for one in heads))
    return table(
        head, [(name, *ms.split(), f"{ratio}x", *read.split()) for name, ms, ratio, read in rows]
    )


def plan() -> str:
    """Return what a year of so many rows takes, at the same rate per core."""
    per_million = _seconds("refresh, everything") / _million_rows() * CORES
    rows = [
        (
            name,
            f"{size * ROW_BYTES / 1e3:,.0f} GB",
            f"{size * FILE_BYTES / 1e3:,.0f} GB",
            f"{size * per_million / 3600:,.1f}",
            _minutes(size * per_million / 60 / CORES),
            _minutes(size * per_million / 60 / (CORES * WORKERS)),
        )
        for name, size in SIZES.items()
    ]
    head = (
        *("rows", "table and key", "in archives", "core hours of a full refresh"),
        *(f"on {CORES} cores", f"on {CORES * WORKERS} cores"),
    )
    return table(head, rows)


def _million_rows() -> float:
    """Return how many million rows of activity the report's data have."""
    found = re.search(r"([\d.]+) million activity rows", REPORT)
    assert found, "docs/performance.md does not say how many rows were measured"
    return float(found[1])


def _seconds(step: str) -> float:
    """Return the median of a step, as the report has it first."""
    return float(_line(step)[0])


def _line(step: str) -> list[str]:
    found = re.findall(rf"^{re.escape(step)}\s+(\d.*)$", REPORT, re.M)
    assert found, f"docs/performance.md has no line for {step!r}"
    return str(found[0]).split()


def _per_million(step: str) -> str:
    # What reads a day or a month does not grow with the whole.
    whole = step in ("load all activity", "refresh, everything")
    return f"{_seconds(step) / _million_rows():.1f} s" if whole else ""


def _ratio(step: str) -> str:
    found = re.search(r"\]\s+[\d.,]+\s+([\d.]+)\s", " ".join(_line(step)))
    return f"{found[1]}x" if found else ""


def _minutes(minutes: float) -> str:
    if minutes < 2:
        return f"{minutes * 60:,.0f} s"
    return f"{minutes:,.0f} min" if minutes < 120 else f"{minutes / 60:,.0f} h"
