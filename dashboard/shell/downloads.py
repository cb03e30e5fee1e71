"""Serve a download link: check it again, write the file, hand it over."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.shell.export_links import Promise
from data_access.db.errors import DatabaseUnavailable, NotAllowed
from data_access.exports import jobs
from data_access.exports.files import OfQueue, OfView, Order, Selection
from data_access.exports.jobs import Job
from data_access.people import staff
from data_access.people.staff import Person
from program.reports.views import View
from program.review.permissions import Act, may
from program.review.queue_filters import Filters

POLL_EVERY_S = 0.02
# How soon a running export ends after its person signed out.
ASK_EVERY_S = 1.0


@dataclass(slots=True)
class Asker:
    """The person who follows a link; ``signed_in`` reads who is signed in in the browser now."""

    promise: Promise
    signed_in: Callable[[], Person | None]
    _checked_at: float = field(default_factory=time.monotonic)

    def require(self) -> Person:
        """Return the link's person, if they are the one signed in, with the same role.

        Raises NotAllowed with what to do.
        """
        person = self.signed_in()
        if person is None:
            raise NotAllowed("You are no longer signed in. Sign in, and export again.")
        if person.email != self.promise.email:
            raise NotAllowed(
                "This link was made for another person. Open the page and export again."
            )
        staff.require_role(person.role, Act.EXPORT)
        if person.role is not self.promise.role:
            raise NotAllowed(
                "Your role changed since this link was made. Reload the page and export again."
            )
        return person

    async def recheck(self, job: Job) -> None:
        """Cancel a running export whose person signed out, left or has another role now."""
        if time.monotonic() - self._checked_at < ASK_EVERY_S:
            return
        self._checked_at = time.monotonic()
        try:
            await run_in_threadpool(self.require)
        except NotAllowed:
            job.cancel()
        except DatabaseUnavailable:
            # The check failed and is repeated; meanwhile the file continues.
            return


def begin(asker: Asker, *, now: datetime) -> Job:
    """Start the export of a link, if its person follows it and may still have it.

    Raises NotAllowed before anything is read, or TooManyExports.
    """
    promise = asker.promise
    person = asker.require()
    order = Order(
        selection=selection(promise),
        form=promise.form,
        exported_by=person.email,
        now=now,
    )
    return jobs.begin(order, expected=promise.expected)


def selection(promise: Promise) -> Selection:
    """Which rows and columns, with what the person's role may see. Raises NotAllowed."""
    personal = may(promise.role, Act.SEE_CONTACT)
    if promise.of_queue:
        filters = Filters.from_query(promise.query).for_viewer(promise.email)
        queue = OfQueue(queue_filters=filters, statuses=filters.statuses)
        return queue if personal else queue.without_personal()
    view = View.from_query(promise.query, personal=personal)
    staff.require_role(promise.role, view.dataset.act)
    return OfView(view=view, view_name=promise.view_name)


class Download(StreamingResponse):
    """The file of a job, read from its spool; whoever hangs up or signs out ends the job."""

    def __init__(self, job: Job, asker: Asker, *, headers: dict[str, str]) -> None:
        named = {"Content-Disposition": f'attachment; filename="{job.order.file_name}"'}
        super().__init__(
            _pieces(job, asker), media_type=job.order.form.media, headers={**headers, **named}
        )
        self.job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over until the end, or until nobody listens."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.job.hang_up()


async def _pieces(job: Job, asker: Asker) -> AsyncIterator[bytes]:
    for piece in jobs.pieces(job):
        await asker.recheck(job)
        if piece is None:
            await asyncio.sleep(POLL_EVERY_S)
        else:
            yield piece
    # The answer ends after it is in the log, so that nothing leaves unseen.
    await run_in_threadpool(job.handed_over)
