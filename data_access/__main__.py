"""The command line: ``python -m data_access COMMAND``."""

import getpass
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from uuid import uuid4

import click
import psycopg
from click.exceptions import NoArgsIsHelpError
from psycopg.errors import (
    InsufficientPrivilege,
    InvalidSchemaName,
    UndefinedColumn,
    UndefinedTable,
)
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

# Imports that only one command needs are inside it: an export then starts sooner and stays small.
from data_access.db import database
from data_access.db.embedded import HOME, Cluster
from data_access.db.errors import Invalid, Refusal
from data_access.exports import terminal
from data_access.exports.target import Unwritable
from program.periods import month_start
from program.policy.outcomes import Outcome
from program.reports.export_formats import FileFormat
from program.review import people
from program.review.permissions import Role
from program.review.queue_filters import REVERSED, SORT_LABELS, TRACK_CHOICES, WAITING_CHOICES, Sort
from program.review.workflow import Status

if TYPE_CHECKING:
    from data_access.loading.form_map import FormMap
    from data_access.people.staff_changes import StaffCommand

ROOT = Path(__file__).resolve().parent.parent
SCHEMA_MISSING = (InvalidSchemaName, UndefinedColumn, UndefinedTable)
DAY = click.DateTime(["%Y-%m-%d"])
MONTH = click.DateTime(["%Y-%m", "%Y-%m-%d"])


class HelpMayNotFit(click.Command):
    """A command that reports in one line that its help cannot be written."""

    def make_context(self, *given: Any, **named: Any) -> click.Context:  # noqa: ANN401 - click's own
        """Parse the arguments, or print the help."""
        try:
            with terminal.printing():
                return super().make_context(*given, **named)
        except Unwritable as refusal:
            raise click.ClickException(refusal.summary) from refusal


class OneLineErrors(HelpMayNotFit, click.Group):
    """A command group that reports errors as one sentence on stderr, never as a traceback."""

    command_class = HelpMayNotFit

    def make_context(self, *given: Any, **named: Any) -> click.Context:  # noqa: ANN401 - click's own
        """Parse the arguments; an error is one line and exit status 2."""
        with _misread_in_one_line():
            return super().make_context(*given, **named)

    def invoke(self, context: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command; a refusal is one sentence and exit status 1."""
        try:
            with _misread_in_one_line():
                return super().invoke(context)
        except Refusal as refusal:
            for detail in refusal.details:
                click.echo(detail, err=True)
            raise click.ClickException(refusal.summary) from refusal
        except (DBAPIError, psycopg.Error) as error:
            sentence = _sentence(error.orig if isinstance(error, DBAPIError) else error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from error


class Misread(click.ClickException):
    """The arguments could not be parsed."""

    exit_code = 2


@contextmanager
def _misread_in_one_line() -> Iterator[None]:
    try:
        yield
    except NoArgsIsHelpError:
        # No arguments: show the help.
        raise
    except click.UsageError as error:
        message = " ".join(error.format_message().split())
        path = error.ctx.command_path if error.ctx else main.name
        raise Misread(f"{message.rstrip('.')}. See `{path} --help`.") from error


def _sentence(error: BaseException | None) -> str | None:
    """Return the sentence for a database error that commands may meet; ``None`` for others."""
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, SCHEMA_MISSING):
        return "The schema is missing or too old. Run `python -m data_access migrate`."
    if isinstance(error, InsufficientPrivilege):
        return (
            f"The database's login may not do this: {reason}. If a right is missing, "
            "`python -m data_access privileges` with the owner's login gives it."
        )
    if isinstance(error, psycopg.OperationalError):
        return f"The database did not respond: {reason}"
    return None


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Affiliate Review's data, from the command line.

    Works on DATABASE_URL, or where that is unset on the embedded Postgres under .data/.
    """


@main.command()
@click.option("--to", default="head", help="Target revision; an older one downgrades.")
def migrate(to: str) -> None:
    """Bring the schema up to date; safe to repeat."""
    from data_access.db import migrate as migrations

    try:
        before, after = migrations.migrate(database.owner(), to=to)
    except RuntimeError as refusal:
        # The migration would lose data that cannot be restored.
        raise click.ClickException(str(refusal)) from refusal
    terminal.say(
        f"Schema is at {after or 'nothing'}"
        + ("." if before == after else f", was {before or 'empty'}.")
    )
    if database.is_embedded() and after is not None:
        # There each kind of work signs in by itself from the beginning.
        _separate()
    if to == "head":
        _say_if_nobody(database.owner())


def _say_if_nobody(engine: Engine) -> None:
    """Say how to add the first administrator while nobody can sign in."""
    from data_access.people import staff

    with engine.connect() as connection:
        if staff.nobody_yet(connection):
            terminal.say(f"{staff.NOBODY_YET}\n{staff.ADD_FIRST}")


@main.group(name="staff", cls=OneLineErrors)
def staff_group() -> None:
    """Say who may use the dashboard, and in which role.

    The first administrator comes this way; the last active one stays.
    """


REASON = click.option("--reason", default="", help="Why, for the record.")
ROLES = click.Choice([str(role) for role in Role])


@staff_group.command(name="add")
@click.argument("email")
@click.option("--role", type=ROLES, required=True)
@click.option("--name", required=True, help="The name that colleagues see.")
@REASON
def staff_add(email: str, role: str, name: str, reason: str) -> None:
    """Add EMAIL to the staff."""
    from data_access.people.staff_changes import AddPerson

    _change_staff(AddPerson, f"is {role} now", email, reason, role=Role(role), name=name)


@staff_group.command(name="role")
@click.argument("email")
@click.argument("role", type=ROLES)
@REASON
def staff_role(email: str, role: str, reason: str) -> None:
    """Give EMAIL another ROLE."""
    from data_access.people.staff_changes import ChangeRole

    _change_staff(ChangeRole, f"is {role} now", email, reason, role=Role(role))


@staff_group.command(name="disable")
@click.argument("email")
@REASON
def staff_disable(email: str, reason: str) -> None:
    """End the access of EMAIL at their next act."""
    from data_access.people.staff_changes import Disable

    _change_staff(Disable, "is disabled now", email, reason)


@staff_group.command(name="enable")
@click.argument("email")
@REASON
def staff_enable(email: str, reason: str) -> None:
    """Give EMAIL access again, in the former role."""
    from data_access.people.staff_changes import Enable

    _change_staff(Enable, "is active now", email, reason)


@staff_group.command(name="bind")
@click.argument("email")
@click.option("--issuer", required=True, help="The provider's address, as in its tokens.")
@click.option("--subject", required=True, help="The person's id there.")
@REASON
def staff_bind(email: str, issuer: str, subject: str, reason: str) -> None:
    """Let EMAIL sign in with this account of the identity provider, and no other."""
    from data_access.people.staff_changes import Bind

    _change_staff(
        Bind, "is bound to that account now", email, reason, issuer=issuer, subject=subject
    )


@staff_group.command(name="unbind")
@click.argument("email")
@REASON
def staff_unbind(email: str, reason: str) -> None:
    """Let EMAIL sign in with another account of the identity provider."""
    from data_access.people.staff_changes import Unbind

    _change_staff(Unbind, "is bound again at the next sign-in", email, reason)


@staff_group.command(name="list")
def staff_list() -> None:
    """List everybody: address, role, state, last seen and name, separated by tabs."""
    from data_access.people import roster

    with database.reader().connect() as connection:
        members = roster.listed(connection, now=_now())
    if not members:
        _say_if_nobody(database.reader())
    for member in members:
        seen = f"{member.last_seen_at:%Y-%m-%dT%H:%MZ}" if member.last_seen_at else "never seen"
        name = "".join(sign if sign.isprintable() else "\ufffd" for sign in member.display_name)
        terminal.say("\t".join((member.email, member.role, member.state, seen, name)))


def _change_staff(
    change: "type[StaffCommand]",
    done: str,
    email: str,
    reason: str,
    **given: Any,  # noqa: ANN401 - each change's own fields
) -> None:
    """Make a change of the staff, and say what is so now."""
    from data_access.people import staff_changes

    # The name comes from the environment and proves nothing.
    user = _person()
    named = f"{staff_changes.COMMAND_LINE} ({user})" if user.isprintable() else ""
    command = change(
        email=email,
        reason=reason,
        actor=named or staff_changes.COMMAND_LINE,
        at=_now(),
        request_id=uuid4(),
        **given,
    )
    staff_changes.from_command_line(database.writer(), command)
    terminal.say(f"{people.normal(email)} {done}.")


@main.command(name="privileges")
def privileges_command() -> None:
    """Make the database's roles, owners and grants, and check them; safe to repeat.

    The login of DATABASE_URL must own the tables and may create roles. A login's password comes
    from DATABASE_WRITER_PASSWORD, DATABASE_READER_PASSWORD, DATABASE_LOADER_PASSWORD,
    DATABASE_DELIVERER_PASSWORD or DATABASE_ANALYST_PASSWORD; one without keeps the password that
    it has, or signs in by peer.
    """
    from data_access.db import guards, privileges

    done = _separate()
    with database.owner().connect() as connection:
        wrong = [*privileges.differences(connection), *guards.differences(connection)]
    for change in done:
        terminal.say(f"{change[0].upper()}{change[1:]}.")
    for difference in wrong:
        click.echo(difference, err=True)
    if wrong:
        raise click.ClickException(f"{len(wrong):,} rights or guards are not as they should be.")
    terminal.say("Owners, rights, limits and guards are as they should be.")


def _separate() -> list[str]:
    """Make the roles and grants; returns what was changed."""
    from data_access.db import migrate as migrations
    from data_access.db import privileges, roles

    with database.owner().connect() as connection:
        if (outdated := migrations.outdated(connection)) is not None:
            raise Invalid(f"{outdated[0].upper()}{outdated[1:]}.")
    return privileges.apply(database.owner(), roles.passwords_set())


@main.command()
@click.argument("kind", type=click.Choice(["accounts", "applications", "referrals", "activity"]))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--manifest", type=click.Path(path_type=Path), help="TOML: rows, sha256 and totals.")
@click.option("--format", "source_format", type=click.Choice(["csv", "airtable"]), default="csv")
@click.option("--map", "mapping", help="A TOML file, or the name of a saved map.")
@click.option("--keep-rest", is_flag=True, help="Load the good rows; keep the others for later.")
@click.option("--report", type=click.Path(path_type=Path), help="With it: a CSV, row by row.")
def load(
    kind: str,
    files: tuple[Path, ...],
    manifest: Path | None,
    source_format: str,
    mapping: str | None,
    keep_rest: bool,
    report: Path | None,
) -> None:
    """Load FILES of one KIND: CSV (also .gz, .zst) or Parquet; all rows or none.

    With --format airtable, FILES are exports of the application form. With --keep-rest each of
    them is an import: good rows are loaded, the others wait on the dashboard's Import page.
    """
    from data_access import loading
    from data_access.loading import form_maps

    if keep_rest and source_format != "airtable":
        raise click.UsageError("--keep-rest goes with load applications --format airtable.")
    if report is not None and (not keep_rest or len(files) != 1):
        raise click.UsageError("--report goes with --keep-rest and one file.")
    read_by = form_maps.chosen(database.loader, mapping) if mapping is not None else None
    if keep_rest:
        _import_forms(kind, files, read_by, mapping, report)
        return
    delivery = loading.Delivery(
        kind=kind,
        paths=files,
        manifest=manifest,
        source_format=source_format,
        mapping=read_by,
    )
    with terminal.progress("Loading") as advance:
        done = loading.load(database.loader(), delivery, now=_now(), progress=advance)
    for notice in done.notices:
        click.echo(str(notice), err=True)
    terminal.say(str(done))


def _import_forms(
    kind: str,
    files: tuple[Path, ...],
    read_by: "FormMap | None",
    map_name: str | None,
    report: Path | None,
) -> None:
    from data_access import loading
    from data_access.loading import form_reports, imports
    from data_access.loading.form_map import FormMap
    from data_access.loading.sources import read_whole

    if kind != "applications":
        loading.refuse_kind(kind)
    for file in files:
        upload = imports.Upload(name=file.name, content=read_whole(file))
        with terminal.progress("Importing") as advance:
            command = imports.MakeImport(
                upload=upload,
                read_by=read_by or FormMap(),
                map_name=map_name,
                actor=_person(),
                at=_now(),
                request_id=uuid4(),
            )
            made = imports.make_from_command_line(database.loader(), command, advance)
        assert made.report is not None
        if report is not None:
            with terminal.output(report) as output:
                output.write(form_reports.as_csv(made.report))
        for line in form_reports.lines(made):
            click.echo(line, err=True)
        terminal.say(form_reports.summary(made))


@main.command()
@click.option("--since", type=DAY, help="Recompute from this older day on.")
@click.option("--through", type=DAY, help="The data-through day, if not the newest complete one.")
def refresh(since: datetime | None, through: datetime | None) -> None:
    """Bring the rollups up to the data-through day; safe to repeat and to kill."""
    from data_access import rollups
    from data_access.review import reactions
    from data_access.risk.frame import Whose

    with terminal.progress("Refreshing") as advance:
        fresh = rollups.refresh(
            database.loader(),
            now=_now(),
            since=since.date() if since else None,
            through=through.date() if through else None,
            progress=advance,
            risk=Whose.WAITING,
        )
    moved = reactions.react_to_refresh(database.writer(), now=_now())
    if since is not None:
        _say_what_is_archived(since.date())
    window = fresh.window
    terminal.say(
        f"Metrics are through {fresh.data_through}; "
        f"the window is {window.start} to {window.last_day}, UTC."
    )
    if moved:
        terminal.say(f"{moved:,} applications that were set aside are back in the queue.")
    # Last, when the new figures are shown already.
    rollups.measure_risk(database.loader(), now=_now(), whose=Whose.OTHERS)
    with terminal.progress("Recounting") as advance:
        found = rollups.recount(database.loader(), now=_now(), progress=advance)
    if found is not None and found.differing:
        click.echo(found.sentence, err=True)


def _say_what_is_archived(since: date) -> None:
    """Say which months after ``since`` were not computed again."""
    from data_access.db import archived

    with database.loader().connect() as connection:
        months = [one.month for one in archived.read(connection) if one.month >= month_start(since)]
    if months:
        click.echo(
            f"Figures of {archived.in_words(months)} stay as they were: that activity is archived.",
            err=True,
        )


@main.command(name="archive")
@click.option("--before", type=MONTH, required=True, help="The first month, or day, that stays.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=HOME / "archive",
    help="The folder for the files; default: archive/ in AFFILIATE_REVIEW_HOME.",
)
def archive_command(before: datetime, folder: Path) -> None:
    """Move old months of activity into Parquet files; safe to repeat and to kill.

    Figures stay. Months that are still read day by day are refused; `load activity FILE` brings a
    month back.
    """
    from data_access import archives

    command = archives.ArchiveMonths(before=before.date(), folder=folder, at=_now())
    with terminal.progress("Archiving") as advance:
        done = archives.archive(database.loader(), command, progress=advance)
    terminal.say(str(done))


@main.command(name="distribute")
def distribute_command() -> None:
    """Distribute referrals and activity over the workers of Citus, by affiliate.

    Once, with the owner's login, on a server that has Citus. It is a first step, to be tried on a
    copy: on Citus a load cannot bring a new month yet, and `archive` does not work. The rows stay
    on this server's disk too; see docs/scaling.md.
    """
    from data_access.db import citus

    terminal.say(str(citus.distribute(database.owner())))


@main.command()
@click.argument("what", nargs=-1, required=True, metavar="[DATASET] FILE")
@click.option(
    "--format",
    "file_format",
    type=click.Choice([str(f) for f in FileFormat]),
    help="Default: by FILE's extension.",
)
@click.option("--columns", help="Which columns, in order, separated by commas.")
@click.option(
    "--filter", "filters", multiple=True, metavar="COLUMN=FILTER", help="See docs/exports.md."
)
@click.option("--group", help="Columns to group by, such as status,submitted_at:month.")
@click.option("--measures", help="Measures of each group, such as count,sum:volume_usd.")
@click.option("--order", help="Columns to sort by, a minus for descending: -volume_usd.")
@click.option("--view", "view_name", help="A saved view of the explore page; DATASET is its own.")
@click.option("--owner", help="The view's owner, if several people have one with that name.")
@click.option("--bom", is_flag=True, help="Start a CSV with a byte-order mark, for Excel.")
@click.option("--gzip", is_flag=True, help="Compress a CSV; the extension .gz does too.")
@click.option(
    "--decimal-comma", is_flag=True, help="Separate a CSV by ; and write decimals with a comma."
)
@click.option("--status", type=click.Choice([str(s) for s in Status]), multiple=True)
@click.option("--search", default="", help="Part of a name or handle.")
@click.option("--eligibility", type=click.Choice([str(o) for o in Outcome]), multiple=True)
@click.option("--track", type=click.Choice(TRACK_CHOICES))
@click.option("--country", help="ISO 3166 code, such as BR.")
@click.option("--platform", help="Social platform, whatever it is called: x or Twitter.")
@click.option(
    "--waiting",
    type=click.Choice([str(days) for days in WAITING_CHOICES]),
    help="At least this many days.",
)
@click.option(
    "--sort",
    type=click.Choice([f"{sign}{sort}" for sign in ("", REVERSED) for sort in SORT_LABELS]),
    default=str(Sort.PRIORITY),
    metavar="[-]ORDER",
    help=f"{', '.join(SORT_LABELS)}; a minus reverses it.",
)
def export(
    what: tuple[str, ...],
    file_format: str | None,
    bom: bool,
    gzip: bool,
    decimal_comma: bool,
    **options_: Any,  # noqa: ANN401 - the options that say which rows
) -> None:
    """Write DATASET to FILE ("-" is standard output).

    DATASET is applications, decisions, affiliates, near_misses, monthly or activity, and goes
    without saying with --view. The options from --status on are the queue's, for applications
    alone.
    """
    from data_access.exports import files as export_files
    from data_access.exports import options
    from data_access.exports.files import Order, Progress

    try:
        dataset, file = options.dataset_and_file(what, options_["view_name"])
    except Invalid as misuse:
        raise click.UsageError(str(misuse)) from misuse
    place = "standard output" if str(file) == options.STDOUT else str(file)
    with terminal.cancellable(f"Canceled before everything was written to {place}."):
        order = Order(
            form=options.form(file, file_format, bom=bom, gzip=gzip, comma=decimal_comma),
            selection=options.selection(database.exporter, dataset, options_, now=_now()),
            exported_by=_person(),
            now=_now(),
        )
        with terminal.progress("Exporting") as advance, terminal.output(file) as output:
            total = options.at_most(database.exporter, order) if sys.stderr.isatty() else 0
            progress = Progress(report=lambda rows: advance(rows, total))
            export_files.write_and_keep(order, output, progress=progress)
    click.echo(f"{order.selection.dataset} written to {place}.", err=True)


@main.command(name="demo")
@click.option("--affiliates", type=click.IntRange(20, 20_000), default=400, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--i-know", is_flag=True, help="Fill the database of DATABASE_URL.")
def demo_command(affiliates: int, seed: int, i_know: bool) -> None:
    """Fill an empty database with made-up but lifelike data."""
    from data_access import demo, rollups

    if not database.is_embedded() and not i_know:
        raise click.ClickException(
            "DATABASE_URL is set, and the demo's people and decisions do not belong into a "
            "database that is used. Unset it, or add --i-know."
        )
    with terminal.progress("Generating data") as advance:
        report = demo.fill(
            database.owner(), now=_now(), affiliates=affiliates, seed=seed, progress=advance
        )
    rollups.refresh(database.loader(), now=_now())
    _let_staff_work()
    # Again, so that the sums include the steps taken.
    rollups.refresh(database.loader(), now=_now())
    terminal.say(str(report))


def _let_staff_work() -> None:
    from data_access import demo

    with terminal.progress("Working on applications") as advance:
        demo.work_desk(database.owner(), progress=advance)
    demo.move_affiliates(database.owner(), now=_now())


@main.command()
def doctor() -> None:
    """Check connection, schema, freshness, rollup lag, standings, outbox and privileges."""
    from data_access import doctor as health_checks

    findings = health_checks.examine(database.reader(), now=_now())
    for finding in findings:
        terminal.say(
            f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.what}: {finding.sentence}"
        )
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(1)


@main.group()
def history() -> None:
    """Check the hash chain over decisions, notes, evidence and events, or sign its head."""


@history.command()
@click.option(
    "--head",
    "kept",
    type=click.File(),
    help="A signed head that was kept elsewhere; HISTORY_KEY_FILE names its key.",
)
def verify(kept: TextIO | None) -> None:
    """Check that nothing recorded was changed, removed or added past the history.

    Names the first row that is not as it was recorded, with exit status 1.
    """
    from data_access.history import chain, heads

    head = None if kept is None else heads.read(kept.read(), heads.public_key())
    with terminal.progress("Verifying") as advance:
        found = chain.verify(database.reader(), head, advance)
    terminal.say(str(found))


@history.command(name="head")
def head_command() -> None:
    """Print the head of the history, signed by the key in HISTORY_KEY_FILE; keep it elsewhere."""
    from data_access.history import chain, heads

    key = heads.private_key()
    with terminal.printing():
        click.echo(heads.sign(chain.head(database.reader()), key), nl=False)


ACCOUNT = click.option("--account", type=int, required=True, help="The account's id.")
REASON = click.option("--reason", required=True, help="Why; does not name the person.")


@main.command(name="erase")
@ACCOUNT
@REASON
def erase_command(account: int, reason: str) -> None:
    """Erase a person's names, contacts and all texts about them; decisions and figures stay.

    A legal hold or an open application refuses it. There is no way back.
    """
    from data_access.history import erasing

    command = erasing.Erase(
        account_id=account, reason=reason, actor=_person(), at=_now(), request_id=uuid4()
    )
    terminal.say(str(erasing.erase(database.owner(), command)))


@main.command(name="hold")
@ACCOUNT
@REASON
@click.option("--lift", is_flag=True, help="Lift the hold.")
def hold_command(account: int, reason: str, *, lift: bool) -> None:
    """Place a legal hold on an account, so that nobody can erase it."""
    from data_access.history import erasing

    command = erasing.Hold(
        account_id=account,
        reason=reason,
        actor=_person(),
        at=_now(),
        request_id=uuid4(),
        lifted=lift,
    )
    erasing.hold(database.owner(), command)
    terminal.say(f"Account {account} is {'no longer' if lift else 'now'} under a legal hold.")


@main.command()
@click.option("--once", is_flag=True, help="Deliver due messages and exit.")
@click.option(
    "--mailbox", type=click.Path(path_type=Path), help="Write .eml files to this folder instead."
)
@click.option("--with-parent", is_flag=True, help="End with the process that started this.")
def notify(once: bool, mailbox: Path | None, with_parent: bool) -> None:
    """Deliver the outbox: mail by SMTP_URL, the rest by NOTIFY_WEBHOOK_URL; runs on.

    Several at once are safe. Ctrl-C ends it after the message in hand.
    """
    from data_access.messages import worker
    from data_access.reports import weekly_mails

    counts = worker.command(
        database.deliverer(),
        mailbox=mailbox,
        once=once,
        with_parent=with_parent,
        mails=[weekly_mails.mail(database.reporter)],
    )
    summary = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    terminal.say(f"Delivery: {summary or 'nothing was due'}.")


@main.command()
@click.option("--port", type=int, default=8501, show_default=True)
@click.option("--browser/--no-browser", default=True, help="Whether to open the browser.")
def start(port: int, browser: bool) -> None:
    """Prepare the database, fill it with demo data if it is empty, and serve the dashboard."""
    from data_access import demo
    from data_access.db import migrate as migrations

    migrations.migrate(database.owner())
    if database.is_embedded():
        _separate()
    # Made-up data lie in the past, which only the owner may write.
    engine = database.owner()
    with engine.connect() as connection:
        empty = database.is_embedded() and demo.is_empty(connection)
    if empty:
        terminal.say("The database is empty: generating demo data.")
        with terminal.progress("Generating data") as advance:
            demo.fill(engine, now=_now(), progress=advance)
    if empty:
        _refresh()
        _let_staff_work()
    # Last, so that the sums include every decision and step until now.
    _refresh()
    if database.is_embedded():
        # For trying out: no message leaves this computer, whatever is configured.
        folder = HOME / "mail"
        _start_worker(folder)
        terminal.say(f"Messages to applicants are written to {folder}.")
    serve = [sys.executable, str(ROOT / "serve.py"), "--port", str(port)]
    os.chdir(ROOT)
    os.execv(sys.executable, [*serve, *(["--open-browser"] if browser else [])])  # noqa: S606


@main.command()
def stop() -> None:
    """Stop the embedded Postgres; its data stays."""
    Cluster().stop()


def _start_worker(folder: Path) -> None:
    """Start a worker as a child of this process; it ends with it."""
    notify = [sys.executable, "-m", "data_access", "notify", "--with-parent"]
    subprocess.Popen(
        [*notify, "--mailbox", str(folder)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        return f"user {os.getuid()}"


def _now() -> datetime:
    return datetime.now(UTC)


def _refresh() -> None:
    """Refresh the rollups; does nothing if no activity was ever loaded."""
    from data_access import doctor as health_checks
    from data_access import rollups

    with database.reader().connect() as connection:
        day = health_checks.newest_complete_day(connection, today=_now().date())
    if day is not None:
        rollups.refresh(database.loader(), now=_now())


if __name__ == "__main__":
    main(prog_name="python -m data_access")
