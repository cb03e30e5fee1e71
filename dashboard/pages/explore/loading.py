"""Read what Explore shows."""

from dataclasses import dataclass
from datetime import datetime

from data_access.db import database
from data_access.db.errors import Invalid
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.explore import queries, saved_views
from data_access.explore.queries import Chartable, Preview, TooSlow
from data_access.explore.saved_views import SavedView
from data_access.people.staff import Person
from program.reports import charted
from program.reports.views import View
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All data of the page, read in one transaction; without ``preview`` it says why."""

    view: View
    context: JudgingContext
    preview: Preview | None
    chartable: Chartable | None
    refused: str
    views: list[SavedView[View]]


def load(view: View, person: Person, now: datetime) -> Loaded:
    """Read everything; if the preview is refused, the tools remain to change the view."""
    personal = person.may(Act.SEE_CONTACT)
    with database.reading(database.reader()) as connection:
        views = saved_views.explored(connection, viewer=person.email, personal=personal)
    preview, chartable, refused = None, None, ""
    with database.reading(database.reporter()) as connection:
        context = judging.read_context(connection, now=now)
        try:
            preview = queries.preview(connection, view, context)
            wanted = charted.of(preview.view, now.date()) if preview.rows else None
            chartable = wanted and queries.charted(connection, wanted, context)
        except (Invalid, TooSlow) as refusal:
            refused = str(refusal)
    return Loaded(
        view=preview.view if preview else view,
        context=context,
        preview=preview,
        chartable=chartable,
        refused=refused,
        views=views,
    )
