"""From a link that was followed to the file that arrives: asked again, written, handed over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.links import Promise
from data_access import database, export_jobs, staff
from data_access.export_files import OfQueue, OfView, Order, Selection
from data_access.export_jobs import Job
from data_access.refusals import NotAllowed
from program.permissions import Act, may
from program.queue import Filters
from program.views import View

LOOK_EVERY_S = 0.02


def begin(promise: Promise, *, now: datetime) -> Job:
    """Start the export that a link promises, if its person may still have it.

    Raises NotAllowed before anything is read, or TooManyExports.
    """
    with database.reading(database.reader()) as connection:
        person = staff.require(connection, promise.email, Act.EXPORT)
    if person.role is not promise.role:
        raise NotAllowed(
            "Your role changed since this link was made. Reload the page and export again."
        )
    order = Order(
        selection=selection(promise),
        form=promise.form,
        exported_by=person.email,
        now=now,
    )
    return export_jobs.begin(order, expected=promise.expected)


def selection(promise: Promise) -> Selection:
    """Which rows and columns, with what the person's role may see."""
    personal = may(promise.role, Act.SEE_CONTACT)
    if promise.of_queue:
        filters = Filters.from_query(promise.query).seen_by(promise.email)
        asked = OfQueue(filters_asked=filters, statuses=filters.statuses)
        return asked if personal else asked.without_personal()
    view = View.from_query(promise.query, personal=personal)
    return OfView(view=view, view_name=promise.view_name)


class Download(StreamingResponse):
    """The file of a job, read from its spool; whoever hangs up ends the job."""

    def __init__(self, job: Job, *, headers: dict[str, str]) -> None:
        named = {"Content-Disposition": f'attachment; filename="{job.order.file_name}"'}
        super().__init__(
            _pieces(job), media_type=job.order.form.media, headers={**headers, **named}
        )
        self.job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over until the end, or until nobody listens."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.job.hang_up()


async def _pieces(job: Job) -> AsyncIterator[bytes]:
    for piece in export_jobs.pieces(job):
        if piece is None:
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            yield piece
    # The answer ends after it is in the log, so that nothing leaves unseen.
    await run_in_threadpool(job.handed_over)
