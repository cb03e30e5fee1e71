"""Keep the figures of a run in a Markdown file, as they were printed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

from bench import weights

PREFACE = """\
# Performance

Written by `python -m bench --report docs/performance.md`; `make bench` prints the same. The data
are a million applications, 20,000 of them pending, and 46.7 million activity rows. Each row gives
the median of several runs in seconds, or milliseconds where it says so, with the smallest and the
largest; where something else does the same work, its time in the same run and the ratio; and the
target. That is plain SQL for the queries. Refreshing everything starts without any result of a
refresh, and `bench/plain_rollups.sql` fills the same 17 tables, one `create table as` each with its
key; the rows of both are then compared, and one that differs fails the measurement. The standings
of open applications, which a refresh restates at its end, have no counterpart there. In the browser
it is a minimal Django admin over the same tables (`bench/peer/`), with the columns of the queue and
its indexes, but without eligibility. A rerun of a page is what a click causes in an open page;
beside its time stand the messages and bytes sent to the browser, the statements and the connections
they take, and the rows and index entries they read. In Postgres, the statements of a view of
the queue are executed alone, as `explain analyze` tells it. OVER is a missed target. Every block begins and
ends with the commit, the time of day and the load of the machine, which has two cores, with the
database beside the dashboard.

"""


class Copy:
    """A stream that also keeps what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.kept: list[str] = []

    def write(self, text: str) -> int:
        self.kept.append(text)
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


@contextmanager
def written_to(path: Path | None) -> Iterator[None]:
    """Copy standard output into the report at ``path``, also where a run ends early."""
    copy = Copy(sys.stdout)
    try:
        with redirect_stdout(copy):  # type: ignore[type-var]
            yield
    finally:
        if path is not None:
            path.write_text(page("".join(copy.kept)))


def page(printed: str) -> str:
    """Format what was printed as the whole Markdown page."""
    lines = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return f"{PREFACE}```\n{lines}\n```\n\n{weights.section()}"
