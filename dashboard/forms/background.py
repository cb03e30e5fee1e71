"""Run acts that take longer than a click, also after the person leaves the page.

The process that runs one holds a job for it in ``review.jobs``, so that a second press in another
process does not run it again, and every process can show its state.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from threading import Lock, Thread
from types import MappingProxyType
from uuid import UUID

from dashboard.forms import submit as form_submit
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.eligibility.judging import JudgingContext
from data_access.people import job_leases, jobs
from data_access.people.commands import CommandT, Verb
from data_access.people.job_leases import Held
from data_access.people.jobs import Job, JobKind, NewJob, State
from data_access.queue import standings
from program.reports.export_formats import Ending

LOG = logging.getLogger(__name__)
AT_ONCE = 4
# A short run ends within this time, and its page shows the report at once.
PATIENCE_S = 1.5
POLL_EVERY_S = 0.05
NOTHING: Mapping[str, str] = MappingProxyType({})

# Computing so many standings for a view takes longer than everything else in it.
WORTH_KEEPING = 1_000

_restating = Lock()
_pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="act")


def submit(
    form: str,
    command: CommandT,
    verb: Verb[CommandT, object],
    *,
    kind: JobKind = JobKind.RUN,
    shown: Mapping[str, str] = NOTHING,
) -> bool:
    """Start a command that takes longer than a click, if the sender is still signed in.

    Returns whether it started; an early refusal is shown beside the form. ``shown`` is what other
    sessions need to describe it.
    """
    if form_submit.refused_to_stranger(form, command.actor):
        return False
    act = partial(form_submit.carry_out, command, verb)
    try:
        begin(command.request_id, act, actor=command.actor, kind=kind, shown=shown)
    except Refusal as refusal:
        form_submit.refused(form, str(refusal))
        return False
    return True


def begin(
    request_id: UUID,
    act: Callable[[], object],
    *,
    actor: str,
    kind: JobKind = JobKind.RUN,
    shown: Mapping[str, str] = NOTHING,
) -> None:
    """Start ``act`` unless this request is running already, and wait briefly for it.

    Raises what ``act`` raised in that time. ``act`` must not draw.
    """
    engine = database.writer()
    with database.acting(engine) as connection:
        lease = jobs.claim(
            connection, NewJob(job_id=request_id, kind=kind, person=actor, request=shown)
        )
    if lease is None:
        _wait_for_other(request_id)
        return
    held = job_leases.hold(Held(engine=engine, job_id=request_id, lease=lease))
    future = _pool.submit(_do, held, act)
    try:
        future.result(timeout=PATIENCE_S)
    except TimeoutError:
        if future.done():
            raise


def newest(kind: JobKind, person: str) -> Job | None:
    """Return the person's newest job of this kind, whichever process runs it."""
    with database.reading(database.reader()) as connection:
        found = jobs.of(connection, kind=kind, person=person, seen_for=jobs.KEPT_FOR)
    return found[-1] if found else None


def state(request_id: UUID) -> State | None:
    """Return the state, whichever process runs it; ``None`` if it was never started."""
    job = jobs.find(database.reader(), request_id)
    return None if job is None else job.state


def is_running(request_id: UUID) -> bool:
    """Whether it is running, in any process."""
    return state(request_id) is State.RUNNING


def restate_standings(context: JudgingContext, pending: int) -> None:
    """Compute the kept standings anew if a policy or a refresh took effect since.

    Until then each view computes them, which few applications do not need to avoid.
    """
    if context.kept == context.basis or pending < WORTH_KEEPING:
        return
    if _restating.acquire(blocking=False):
        Thread(target=_restate, name="restate", daemon=True).start()


def _restate() -> None:
    try:
        if not standings.restate(database.loader(), now=datetime.now(UTC)):
            LOG.warning("the standings wait for a load to be restated")
    except Exception:
        # The next view tries again.
        LOG.exception("the standings could not be restated")
    finally:
        _restating.release()


def _do(held: Held, act: Callable[[], object]) -> None:
    try:
        act()
    except Refusal as refusal:
        # The page shows it in the run's report or as an unfinished run.
        held.end(Ending.FAILED, str(refusal))
        raise
    except BaseException:
        LOG.exception("an act in the background failed")
        held.end(Ending.FAILED)
        raise
    held.end(Ending.COMPLETE)


def _wait_for_other(request_id: UUID) -> None:
    """Wait briefly for an earlier press. Raises the refusal of that press."""
    until = time.monotonic() + PATIENCE_S
    job = jobs.find(database.reader(), request_id)
    while job is not None and job.state is State.RUNNING and time.monotonic() < until:
        time.sleep(POLL_EVERY_S)
        job = jobs.find(database.reader(), request_id)
    if job is not None and job.sentence:
        raise Refusal(job.sentence)
