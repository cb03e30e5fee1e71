"""Options of the export command; anything that is not understood is refused."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from data_access.db import tables
from data_access.db.errors import Invalid
from data_access.eligibility import judging
from data_access.explore import exported, queries, saved_views
from data_access.exports.files import OfQueue, OfView, Order, Selection
from program.reports.datasets import APPLICATIONS, BY_KEY
from program.reports.export_formats import ENDINGS, FileFormat, Form, form_of
from program.reports.views import View
from program.review.queue_filters import Filters, Sort
from program.review.workflow import Status
from program.wording import listed

OF_VIEWS = {
    "filters": "--filter",
    "group": "--group",
    "measures": "--measures",
    "order": "--order",
}
OF_THE_QUEUE = ("status", "search", "eligibility", "track", "country", "platform", "waiting")
STDOUT = "-"


def dataset_and_file(what: Sequence[str], view_name: str | None) -> tuple[str | None, Path]:
    """Return dataset and file from the arguments. Raises Invalid."""
    if view_name is not None and len(what) == 1:
        return None, Path(what[0])
    if what[0] not in BY_KEY:
        raise Invalid(f"{what[0]!a} is not one of the datasets: {', '.join(BY_KEY)}.")
    if len(what) == 1:
        raise Invalid("Missing argument 'FILE'.")
    if len(what) > 2:
        raise Invalid(f"Unexpected argument {what[2]!a}: name a dataset and a file.")
    return what[0], Path(what[1])


def form(
    file: Path, file_format: str | None, *, bom: bool, gzip: bool, comma: bool = False
) -> Form:
    """Return the form from the options or the file's extension.

    Raises Invalid for conflicting options and for an unknown extension.
    """
    named = Form(file_format=FileFormat(file_format)) if file_format else form_of(file.name)
    if named is None:
        raise Invalid(
            f"{file} has an extension that no export has. Use {listed(ENDINGS, last='or')}, "
            "or choose the format with --format."
        )
    found = named.file_format
    zipped = gzip or file.name.lower().endswith(".gz")
    if found is not FileFormat.CSV and (bom or zipped or comma):
        raise Invalid(f"--bom, --gzip and --decimal-comma apply only to CSV, not to {found}.")
    return Form(file_format=found, bom=bom, gzip=zipped, comma=comma)


def selection(
    engine: Callable[[], Engine], dataset: str | None, given: Mapping[str, Any], *, now: datetime
) -> Selection:
    """Return rows and columns to export. Raises Invalid or NotFound."""
    queue_options = [f"--{name}" for name in OF_THE_QUEUE if given[name]]
    view_options = [option for name, option in OF_VIEWS.items() if given[name]]
    if given["view_name"] is not None:
        return _saved(engine, dataset, given, [*view_options, *queue_options])
    if dataset == APPLICATIONS.key and not view_options:
        return _of_queue(given)
    if queue_options or given["sort"] != str(Sort.PRIORITY):
        raise Invalid(
            f"{', '.join(queue_options) or '--sort'} is the queue's: it applies only to "
            "applications without --filter, --group and --order. Use --filter or --order instead."
        )
    view = _view(dataset or "", given)
    refused = view.too_long(now.date())
    if refused is not None:
        raise Invalid(refused)
    return OfView(view=view)


def at_most(engine: Callable[[], Engine], order: Order) -> int:
    """Return the number of rows, or an upper bound, for a progress bar."""
    chosen = order.selection
    with engine().connect() as connection:
        if isinstance(chosen, OfView):
            context = judging.read_context(connection, now=order.now)
            return queries.count(connection, chosen.view, context)
        every = select(func.count()).select_from(tables.applications)
        return connection.execute(every).scalar_one()


def _saved(
    engine: Callable[[], Engine],
    dataset: str | None,
    given: Mapping[str, Any],
    others: Sequence[str],
) -> Selection:
    if others or given["columns"]:
        raise Invalid(f"--view sets everything: leave out {', '.join(others) or '--columns'}.")
    with engine().connect() as connection:
        found = saved_views.named(connection, given["view_name"], owner=given["owner"])
    if dataset not in (None, found.view.dataset.key):
        raise Invalid(f"The view {found.name!a} is a view of {found.view.dataset.key}.")
    _require_understood(found.view)
    return OfView(view=found.view.bounded(), view_name=found.name)


def _view(dataset: str, given: Mapping[str, Any]) -> View:
    query = {"dataset": dataset, "columns": ",".join(_names(dataset, given))}
    for name, option in (("group", "group"), ("measures", "measures"), ("sort", "order")):
        query[name] = ",".join(part.strip() for part in (given[option] or "").split(","))
    for text in given["filters"]:
        column, sign, wanted = text.partition("=")
        if not sign or column in query:
            raise Invalid(f"--filter {text!a} is not understood: write COLUMN=FILTER, once.")
        query[column] = wanted
    view = View.from_query({k: v for k, v in query.items() if v}, personal=True)
    _require_understood(view)
    return view.bounded()


def _require_understood(view: View) -> None:
    # Leaving something out would export more than requested.
    if view.problems:
        raise Invalid(" ".join(view.problems))


def _of_queue(given: Mapping[str, Any]) -> Selection:
    query = {
        name: ",".join(value) if isinstance(value, tuple) else value or ""
        for name, value in given.items()
        if name in OF_THE_QUEUE or name == "sort"
    }
    statuses = tuple(Status(name) for name in given["status"]) or tuple(Status)
    filters = Filters.from_query({**query, "status": ""})
    kept = filters.to_query()
    for name in ("search", "country", "platform"):
        # A platform may have any name; its key is stored.
        if name == "platform" and filters.platform is not None:
            continue
        if query[name].strip() != kept.get(name, ""):
            raise Invalid(f"--{name} `{ascii(query[name])[1:-1]}` is not understood; see --help.")
    names = _names(APPLICATIONS.key, given)
    exported.require_known(names)
    return OfQueue(queue_filters=filters, statuses=statuses, names=names)


def _names(dataset: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the requested columns, or all of the dataset, whatever other options are set."""
    if not given["columns"]:
        return BY_KEY[dataset].names
    return tuple(dict.fromkeys(name.strip() for name in given["columns"].split(",")))
