"""Read what the queue's page shows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from dashboard.forms import dismissal, tour
from dashboard.pages.queue import bulk_actions
from dashboard.pages.queue import columns as queue_columns
from dashboard.ui import grid, lookups, state
from data_access.db import database
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.explore import saved_views
from data_access.explore.saved_views import SavedView
from data_access.people.staff import Person, names_of
from data_access.queue import listing, own_desk
from data_access.queue.listing import Counts, Facets
from data_access.queue.news import Pulse
from data_access.queue.rows import QueueRow
from program.review.queue_filters import PAGE_SIZE, Filters
from program.review.workflow import Status

REPORT_DISMISSED = dismissal.preference(bulk_actions.RUNS.desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All data of the page, read in one transaction for consistency.

    ``total`` is how many match the filters; ``names`` are short ones, by address. ``reports`` is
    whether the person's newest bulk run is reported, ``is_new`` whether they never saw the tour.
    """

    context: JudgingContext
    numbers: Counts
    facets: Facets
    filters: Filters
    total: int
    rows: list[QueueRow]
    columns: list[str]
    views: list[SavedView[Filters]]
    names: dict[str, str]
    pulse: Pulse
    reports: bool
    is_new: bool
    first_draws: state.FirstDraws = field(default_factory=state.FirstDraws)


def load(filters: Filters, person: Person, now: datetime) -> Loaded:
    """Read everything."""
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=now)
        seen = listing.overview(connection, filters, context)
        total = seen.matching
        if total is None:
            total = (
                listing.count(connection, filters, context)
                if filters.narrows
                else whole_list(filters, seen.numbers)
            )
        filters = filters.on_page(min(filters.page, grid.page_count(total, PAGE_SIZE)))
        rows = listing.page(connection, filters, context, total=total)
        own = own_desk.read(
            connection,
            viewer=person.email,
            settings=(queue_columns.NAME, REPORT_DISMISSED, tour.NAME),
            acts=tuple(bulk_actions.RUNS.acts),
        )
        return Loaded(
            context=context,
            numbers=seen.numbers,
            facets=seen.facets,
            filters=filters,
            total=total,
            rows=rows,
            columns=queue_columns.understood(own.settings.get(queue_columns.NAME)),
            views=saved_views.listed(connection, viewer=person.email),
            names=short_names(own.colleagues),
            pulse=seen.pulse,
            reports=own.newest_run is not None
            and str(own.newest_run) != own.settings.get(REPORT_DISMISSED),
            is_new=tour.NAME not in own.settings,
        )


def whole_list(filters: Filters, numbers: Counts) -> int:
    """Return the total of the list, ignoring filters; for decided ones, cached for a minute."""
    if filters.status is Status.PENDING:
        return numbers.total
    if filters.status in numbers.set_aside:
        return numbers.set_aside[filters.status]
    return lookups.counted(Filters(status=filters.status))


def short_names(people: list[Person]) -> dict[str, str]:
    """Return the first name by address, or what tells two apart if it would be the same."""
    first, whole = {one.email: one.display_name.split(" ")[0] for one in people}, names_of(people)
    taken = Counter(first.values())
    return {email: name if taken[name] == 1 else whole[email] for email, name in first.items()}
