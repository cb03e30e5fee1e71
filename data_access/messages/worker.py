"""The worker: leases messages, sends them one by one, and records the results.

One by one per channel, so that a killed worker leaves at most one unconfirmed message per channel.
Several workers in parallel are safe.
"""

import logging
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from data_access.db import database, logs
from data_access.db.errors import DatabaseUnavailable, Refusal
from data_access.db.logs import named
from data_access.messages import digests, leases, staff_mails
from data_access.messages.channels import Channel, NotTaken, from_environment
from data_access.messages.channels.mailbox import Mailbox
from data_access.messages.leases import Failure, Taken
from data_access.messages.staff_mails import Leased, StaffMail
from program.messages.delivery import Patience, Reason, Route

LOG = logging.getLogger("affiliate_review.notify")
DOWN_AFTER = 3


def command(
    engine: Engine,
    *,
    mailbox: Path | None,
    once: bool,
    with_parent: bool,
    mails: Sequence[StaffMail],
) -> Counter[str]:
    """Run ``python -m data_access notify``; returns counts by result.

    ``mails`` are the kinds of mail to staff besides digests. Raises SettingMissing if no channel is
    configured.
    """
    channels: Mapping[Route, Channel] = (
        dict.fromkeys(Route, Mailbox(folder=mailbox)) if mailbox else from_environment(os.environ)
    )
    worker = Worker(
        engine=engine,
        channels=channels,
        clock=lambda: datetime.now(UTC),
        mails=(digests.MAIL, *mails),
    )
    if with_parent:
        Thread(target=_end_with, args=[os.getppid(), worker.stop], daemon=True).start()
    with _stopped_by_signals(worker.stop), _logged():
        return worker.drain() if once else worker.run()


@contextmanager
def _stopped_by_signals(stop: Event) -> Iterator[None]:
    """Handle Ctrl-C and SIGTERM after the current message."""
    before = {
        name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@contextmanager
def _logged() -> Iterator[None]:
    logs.hide_settings()
    handler = logs.handler()
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)


def _end_with(parent: int, stop: Event) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    stop.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The worker's timing. A lease lasts for many attempts and expires within a minute."""

    batch: int = 50
    lease: timedelta = timedelta(seconds=60)
    # The longest attempt; with less than this left of a lease, none is started.
    longest_try: timedelta = timedelta(seconds=25)
    idle: timedelta = timedelta(seconds=1)
    down: timedelta = timedelta(seconds=30)
    patience: Patience = field(default_factory=Patience)
    # How often it looks for mail to staff that is due.
    staff_mails: timedelta = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True)
class Trouble:
    """A continuing failure: how often since it was last logged, and in total."""

    logged_at: float
    unlogged: int = 0
    failures: int = 1


@dataclass(slots=True)
class Troubles:
    """Logs failures: at once, then every minute with a count, and when they are over."""

    every_s: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, Trouble] = field(default_factory=dict)

    def note(self, what: str, why: str) -> None:
        """Record that ``what`` failed because of ``why``."""
        now = self.clock()
        trouble = self._open.get(what)
        if trouble is None:
            self._open[what] = Trouble(logged_at=now)
            LOG.warning("%s fails: %s", what, why)
            return
        trouble.failures += 1
        trouble.unlogged += 1
        if now - trouble.logged_at >= self.every_s:
            LOG.warning("%s still fails, %d more times: %s", what, trouble.unlogged, why)
            trouble.logged_at, trouble.unlogged = now, 0

    def over(self, what: str) -> None:
        """Record that ``what`` succeeded."""
        trouble = self._open.pop(what, None)
        if trouble is not None:
            times = "failure" if trouble.failures == 1 else "failures"
            LOG.warning("%s works again, after %d %s", what, trouble.failures, times)


@dataclass(slots=True, kw_only=True)
class Worker:
    """One worker with its channels; ``clock`` gives the time, ``chance`` a number in [0, 1).

    Each channel has its own thread, so that a slow one does not delay the others.
    """

    engine: Engine
    channels: Mapping[Route, Channel]
    clock: Callable[[], datetime]
    mails: Sequence[StaffMail] = (digests.MAIL,)
    pace: Pace = field(default_factory=Pace)
    chance: Callable[[], float] = random.random
    stop: Event = field(default_factory=Event)
    counts: Counter[str] = field(default_factory=Counter)
    _counting: Lock = field(default_factory=Lock)
    troubles: Troubles = field(default_factory=Troubles)
    _in_a_row: Counter[Route] = field(default_factory=Counter)
    _down_until: dict[Route, float] = field(default_factory=dict)
    _staff_mails_after: float = 0.0
    # A message is sent by the route it was rendered for, even if its platform has another now.
    _sending: dict[Route, Lock] = field(default_factory=lambda: {route: Lock() for route in Route})

    def drain(self) -> Counter[str]:
        """Deliver everything that is due and return counts by result.

        Messages of a route that is down are left for later.
        """
        return self._each_way(self._drain)

    def run(self) -> Counter[str]:
        """Deliver until ``stop`` is set; waits while the database is unavailable."""
        return self._each_way(self._run)

    def _each_way(self, work: Callable[[Collection[Route]], None]) -> Counter[str]:
        ways = self._ways()
        try:
            with ThreadPoolExecutor(len(ways), thread_name_prefix="deliver") as threads:
                for done in [threads.submit(self._or_stop, work, way) for way in ways]:
                    done.result()
        finally:
            for channel in self.channels.values():
                channel.close()
        return self.counts

    def _ways(self) -> list[list[Route]]:
        """Return the routes of each channel."""
        ways: dict[int, list[Route]] = {}
        for route in Route:
            ways.setdefault(id(self.channels.get(route)), []).append(route)
        return list(ways.values())

    def _or_stop(
        self, work: Callable[[Collection[Route]], None], routes: Collection[Route]
    ) -> None:
        try:
            work(routes)
        except BaseException:
            # Stop the other channel's thread too, so that the failure is raised.
            self.stop.set()
            raise

    def _drain(self, routes: Collection[Route]) -> None:
        while not self.stop.is_set() and self._turn(routes):
            pass

    def _run(self, routes: Collection[Route]) -> None:
        what = f"taking messages for {' and '.join(sorted(routes))}"
        while not self.stop.is_set():
            try:
                busy = self._turn(routes)
            except (DatabaseUnavailable, SQLAlchemyError) as error:
                self.troubles.note(what, str(database.refusal_for(error) or named(error)))
                busy = False
            else:
                self.troubles.over(what)
            if not busy:
                self.stop.wait(self.pace.idle.total_seconds())

    def _turn(self, routes: Collection[Route]) -> bool:
        """Lease a batch for these routes; returns whether any of it was processed."""
        serving = [route for route in routes if not self._is_down(route)]
        if not serving:
            return False
        if Route.EMAIL in serving:
            self._mail_staff()
        ends = time.monotonic() + self.pace.lease.total_seconds()
        batch = leases.take(
            self.engine,
            now=self.clock(),
            count=self.pace.batch,
            lease=self.pace.lease,
            without=[route for route in Route if route not in serving],
        )
        return self._deal_with(batch, ends - self.pace.longest_try.total_seconds())

    def _mail_staff(self) -> None:
        """Send the mail to staff that is due, if mail is set up."""
        channel = self.channels.get(Route.EMAIL)
        if channel is None or time.monotonic() < self._staff_mails_after:
            return
        self._staff_mails_after = time.monotonic() + self.pace.staff_mails.total_seconds()
        for mail in self.mails:
            self._make(mail)
            while not self.stop.is_set() and not self._is_down(Route.EMAIL):
                leased = staff_mails.take(
                    self.engine, mail, now=self.clock(), lease=self.pace.lease
                )
                if leased is None:
                    break
                self._mail_one(channel, leased)

    def _make(self, mail: StaffMail) -> None:
        """Make the mails that are due; a failure is logged and delays nothing else."""
        what = f"making {mail.plural}"
        try:
            mail.make(self.engine, self.clock())
        except (Refusal, SQLAlchemyError) as error:
            self.troubles.note(what, str(error) if isinstance(error, Refusal) else named(error))
        else:
            self.troubles.over(what)

    def _mail_one(self, channel: Channel, leased: Leased) -> None:
        try:
            with self._sending[Route.EMAIL]:
                channel.send(leased.outgoing, now=self.clock())
        except NotTaken as not_taken:
            self._note_down(Route.EMAIL, is_down=not_taken.is_down)
            staff_mails.fail(
                self.engine,
                leased,
                not_taken.failure,
                patience=self.pace.patience,
                chance=self.chance(),
                now=self.clock(),
            )
            self._count(f"{leased.mail.plural} failed")
            return
        self._note_down(Route.EMAIL, is_down=False)
        staff_mails.finish(self.engine, leased, now=self.clock())
        self._count(f"{leased.mail.plural} sent")

    def _deal_with(self, batch: Sequence[Taken], until: float) -> bool:
        left = list(batch)
        untried: list[Taken] = []
        while left and time.monotonic() < until and not self.stop.is_set():
            taken = left.pop(0)
            if taken.outgoing is not None and self._is_down(taken.outgoing.route):
                untried.append(taken)
            else:
                self._one(taken)
        back = [*untried, *left]
        leases.give_back(self.engine, back)
        return len(back) < len(batch)

    def _one(self, taken: Taken) -> None:
        if taken.withheld is not None:
            leases.withhold(self.engine, taken, now=self.clock())
            self._count("withheld")
        elif taken.outgoing is None:
            assert taken.refused is not None
            refused = taken.refused
            self._fail(taken, Failure(reason=refused.reason, sentence=str(refused), final=True))
        else:
            self._send(taken, taken.outgoing)

    def _send(self, taken: Taken, outgoing: leases.Outgoing) -> None:
        channel = self.channels.get(outgoing.route)
        if channel is None:
            sentence = f"Delivery by {outgoing.route} is not set up."
            self._fail(taken, Failure(reason=Reason.NOT_SET_UP, sentence=sentence, final=True))
            return
        try:
            with self._sending[outgoing.route]:
                receipt = channel.send(outgoing, now=self.clock())
        except NotTaken as not_taken:
            self._note_down(outgoing.route, is_down=not_taken.is_down)
            # The receiver's text may name the applicant; it is stored with the message only.
            self.troubles.note(f"delivery by {outgoing.route}", str(not_taken.failure.reason))
            self._fail(taken, not_taken.failure)
            return
        self._note_down(outgoing.route, is_down=False)
        self.troubles.over(f"delivery by {outgoing.route}")
        self._finish(taken, receipt.sentence, delivered=receipt.delivered)

    def _finish(self, taken: Taken, reply: str, *, delivered: bool) -> None:
        # It was sent: failing to record that, because the database was briefly unavailable, would
        # send it twice. After this time the lease may belong to another worker.
        for patience_s in (0.2, 1.0, 3.0, None):
            try:
                held = leases.finish(
                    self.engine, taken, delivered=delivered, reply=reply, now=self.clock()
                )
            except DatabaseUnavailable:
                if patience_s is None:
                    raise
                self.stop.wait(patience_s)
            else:
                self._count("sent" if held else "overtaken")
                return

    def _fail(self, taken: Taken, failure: Failure) -> None:
        leases.fail(
            self.engine,
            taken,
            failure,
            patience=self.pace.patience,
            chance=self.chance(),
            now=self.clock(),
        )
        self._count("refused" if failure.final else "failed")

    def _count(self, what: str) -> None:
        with self._counting:
            self.counts[what] += 1

    def _note_down(self, route: Route, *, is_down: bool) -> None:
        """Pause a route after a few failures in a row, so that others are not delayed."""
        self._in_a_row[route] = self._in_a_row[route] + 1 if is_down else 0
        if self._in_a_row[route] >= DOWN_AFTER:
            self._down_until[route] = time.monotonic() + self.pace.down.total_seconds()
            # One attempt after the pause decides whether it continues.
            self._in_a_row[route] = DOWN_AFTER - 1
            LOG.warning("delivery by %s rests: %d failures in a row", route, DOWN_AFTER)

    def _is_down(self, route: Route) -> bool:
        return self._down_until.get(route, 0.0) > time.monotonic()
