"""The report of an import as a file: a line per row, or per problem in it."""

import csv
import io
from collections.abc import Iterator

from data_access.loading.forms import GOOD, FormRow, Outcome
from data_access.loading.imports import BLANK, CLEANED, Import, Report
from data_access.loading.problems import visible
from program.reports import csv_guard

HEADER = ("row", "outcome", "application_id", "field", "value", "what_is_wrong", "what_to_do")


def as_csv(report: Report) -> bytes:
    """Return the rows in order, as CSV without formulas."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(HEADER)
    for row in report.rows:
        writer.writerows([csv_guard.guarded(cell) for cell in line] for line in _lines(row))
    return written.getvalue().encode("utf-8-sig")


def _lines(row: FormRow) -> Iterator[tuple[str, ...]]:
    start = (str(row.row), str(row.outcome), str(row.application_id or ""))
    for problem in row.problems:
        yield (*start, problem.field, problem.value, problem.wrong, problem.remedy)
    if not row.problems:
        yield (
            *start,
            "",
            "",
            "; ".join(row.remarks),
            "" if row.outcome in GOOD else "See the page",
        )


def lines(made: Import) -> Iterator[str]:
    """Yield what there is to report about an import, one sentence per line."""
    report = made.report
    if report is None:
        return
    yield from report.remarks
    for row in report.rows:
        place = f"{made.file_name}, row {row.row:,}"
        for problem in row.problems:
            field = f", `{problem.field}`" if problem.field else ""
            value = f"`{visible(problem.value)}` " if problem.value else ""
            yield f"{place}{field}: {value}{problem.reason}."
        for remark in row.remarks:
            yield f"{place}: {remark}."


def summary(made: Import) -> str:
    """Return the number of rows by outcome, in one line."""
    counted = [f"{made.counts.get(str(one), 0):,} {one}" for one in Outcome]
    shown = [part for part in counted if not part.startswith("0 ")]
    shown += [f"{made.counts[one]:,} {one}" for one in (CLEANED, BLANK) if made.counts.get(one)]
    return f"{made.file_name}: import {made.import_id:,}: {', '.join(shown) or 'no rows'}."
