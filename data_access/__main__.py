"""The command line: ``python -m data_access COMMAND``."""

import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from data_access import (
    database,
    demo,
    export_files,
    exports,
    health,
    loading,
    rollups,
    schema,
    terminal,
)
from data_access.embedded import Cluster
from data_access.refusals import Refusal
from program.outcomes import Outcome
from program.queue import SORT_LABELS, TRACK_CHOICES, WAITING_CHOICES, Filters, Sort
from program.workflow import Status

ROOT = Path(__file__).resolve().parent.parent
DAY = click.DateTime(["%Y-%m-%d"])


class OneLineErrors(click.Group):
    """A group whose commands end in one sentence on stderr, never in a traceback."""

    def invoke(self, context: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command; a refusal becomes its sentence and exit status 1."""
        try:
            return super().invoke(context)
        except loading.LoadRefused as refusal:
            for problem in refusal.problems:
                click.echo(str(problem), err=True)
            more = f" and {refusal.more:,} more" if refusal.more else ""
            what = "problem" if len(refusal.problems) == 1 else "problems"
            named = f"{len(refusal.problems):,} {what}{more}; see the lines above."
            raise click.ClickException(f"Nothing was loaded: {named}") from refusal
        except Refusal as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise click.ClickException(f"The database did not answer: {reason}") from error


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Affiliate Review's data, from the command line.

    Works on DATABASE_URL, or where that is unset on the embedded Postgres under .data/.
    """


@main.command()
@click.option("--to", default="head", help="A revision; down where it is older.")
def migrate(to: str) -> None:
    """Bring the schema up to date; safe to repeat."""
    before, after = schema.migrate(database.owner(), to=to)
    click.echo(
        f"Schema is at {after or 'nothing'}"
        + ("." if before == after else f", was {before or 'empty'}.")
    )


@main.command()
@click.argument("kind", type=click.Choice(["accounts", "applications", "referrals", "activity"]))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--manifest", type=click.Path(path_type=Path), help="TOML: rows, sha256 and totals.")
@click.option("--format", "source_format", type=click.Choice(["csv", "airtable"]), default="csv")
@click.option("--map", "mapping", type=click.Path(path_type=Path), help="TOML: fields of the form.")
def load(
    kind: str,
    files: tuple[Path, ...],
    manifest: Path | None,
    source_format: str,
    mapping: Path | None,
) -> None:
    """Load FILES of one KIND: CSV (also .gz, .zst) or Parquet; all rows or none."""
    with terminal.progress("Loading") as advance:
        report = loading.load(
            database.loader(),
            kind,
            list(files),
            now=_now(),
            manifest=manifest,
            source_format=source_format,
            mapping=mapping,
            progress=advance,
        )
    click.echo(str(report))


@main.command()
@click.option("--since", type=DAY, help="Recompute from this older day on.")
@click.option("--through", type=DAY, help="The data-through day, if not the newest complete one.")
def refresh(since: datetime | None, through: datetime | None) -> None:
    """Bring the rollups up to the data-through day; safe to repeat and to kill."""
    with terminal.progress("Refreshing") as advance:
        fresh = rollups.refresh(
            database.loader(),
            now=_now(),
            since=since.date() if since else None,
            through=through.date() if through else None,
            progress=advance,
        )
    window = fresh.window
    click.echo(
        f"Metrics are through {fresh.data_through}; "
        f"the window is {window.start} to {window.last_day}, UTC."
    )


@main.command()
@click.argument("dataset", type=click.Choice(["applications"]))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "file_format", type=click.Choice(["csv"]), default="csv")
@click.option("--columns", help="Which columns, in order, separated by commas.")
@click.option("--status", type=click.Choice([str(s) for s in Status]), multiple=True)
@click.option("--search", default="", help="Part of a name or handle.")
@click.option("--eligibility", type=click.Choice([str(o) for o in Outcome]), multiple=True)
@click.option("--track", type=click.Choice(TRACK_CHOICES))
@click.option("--country", help="ISO 3166 code, such as BR.")
@click.option("--platform", help="Social platform, such as x.")
@click.option(
    "--waiting",
    type=click.Choice([str(days) for days in WAITING_CHOICES]),
    help="At least so many days.",
)
@click.option("--sort", type=click.Choice([str(s) for s in SORT_LABELS]), default=str(Sort.WAITING))
def export(
    dataset: str,
    file: Path,
    file_format: str,  # noqa: ARG001 - csv is the only one so far
    columns: str | None,
    status: tuple[str, ...],
    **asked: Any,  # noqa: ANN401 - the filters' options
) -> None:
    """Write DATASET to FILE ("-" is standard output)."""
    filters = Filters.from_query(
        {
            name: ",".join(value) if isinstance(value, tuple) else value or ""
            for name, value in asked.items()
        }
    )
    chosen = (
        tuple(name.strip() for name in columns.split(",")) if columns else tuple(exports.BY_NAME)
    )
    statuses = tuple(Status(name) for name in status) or tuple(Status)
    pieces = export_files.applications_as_csv(
        exported_by=getpass.getuser(),
        filters=filters,
        statuses=statuses,
        now=_now(),
        columns=chosen,
    )
    with terminal.output(file) as output:
        for piece in pieces:
            output.write(piece)
    click.echo(f"{dataset} written to {file}.", err=True)


@main.command(name="demo")
@click.option("--affiliates", type=click.IntRange(20, 20_000), default=400, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
def demo_command(affiliates: int, seed: int) -> None:
    """Fill an empty database with made-up but lifelike data."""
    with terminal.progress("Making up data") as advance:
        report = demo.fill(
            database.loader(), now=_now(), affiliates=affiliates, seed=seed, progress=advance
        )
    rollups.refresh(database.loader(), now=_now())
    click.echo(str(report))


@main.command()
def doctor() -> None:
    """Check connection, schema, freshness, rollup lag, outbox and privileges."""
    findings = health.examine(database.reader(), now=_now())
    for finding in findings:
        click.echo(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.what}: {finding.said}")
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(1)


@main.command()
@click.option("--port", type=int, default=8501, show_default=True)
@click.option("--browser/--no-browser", default=True, help="Whether to open the browser.")
def start(port: int, browser: bool) -> None:
    """Prepare the database, fill it with demo data if it is empty, and serve the dashboard."""
    schema.migrate(database.owner())
    engine = database.loader()
    with engine.connect() as connection:
        empty = database.is_embedded() and demo.is_empty(connection)
    if empty:
        click.echo("The database is empty: making up demo data.")
        with terminal.progress("Making up data") as advance:
            demo.fill(engine, now=_now(), progress=advance)
    _refresh_if_behind()
    serve = [sys.executable, str(ROOT / "serve.py"), "--port", str(port)]
    os.chdir(ROOT)
    os.execv(sys.executable, [*serve, *(["--open-browser"] if browser else [])])  # noqa: S606


@main.command()
def stop() -> None:
    """Stop the embedded Postgres; its data stays."""
    Cluster().stop()


def _now() -> datetime:
    return datetime.now(UTC)


def _refresh_if_behind() -> None:
    with database.reader().connect() as connection:
        behind = health.rollups_behind(connection, today=_now().date())
    if behind:
        rollups.refresh(database.loader(), now=_now())


if __name__ == "__main__":
    main(prog_name="python -m data_access")
