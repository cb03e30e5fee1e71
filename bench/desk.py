"""The review desk at scale: the queries of each screen, compared with the plainest SQL."""

import os
import subprocess
from decimal import Decimal
from functools import cache, partial
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import Engine, create_engine, text

from bench import memory
from bench.database import taking_back
from bench.facts import moment
from bench.measurements import Measurement
from data_access.db.embedded import binaries
from data_access.eligibility import assessments, judging
from data_access.explore import exported as explore_exported
from data_access.people.staff import Person
from data_access.queue import listing
from data_access.review import decisions
from data_access.review import opening as opening_of
from program.policy.outcomes import Outcome
from program.review.permissions import Role
from program.review.queue_filters import PAGE_SIZE, Filters, Owner, Sort
from program.review.workflow import Decision

MS = 0.001
# So many applications are decided by either side.
DECIDED = 25

# The plain SQL of a page: the application, its account and its metrics.
PLAIN_PAGE = """
select a.application_id, c.username, c.country_code, a.social_handle, a.submitted_at,
       w.volume_usd, w.active_users, w.new_users
from exchange.applications a
join exchange.accounts c using (account_id)
left join review.affiliate_window w on w.affiliate_account_id = a.account_id
where a.status = 'pending' {where}
order by {order} limit 50 offset {offset}
"""
PLAIN_EVIDENCE = """
(select count(*) filter (where value > 5000) from (
    select distinct on (kind) value from review.evidence e
    where e.application_id = a.application_id and kind = 'x_followers'
      and observed_at >= now() - interval '91 days' order by kind, observed_at desc) as f) > 0
or (select coalesce(sum(value), 0) from (
    select distinct on (lower(exchange_name)) value from review.evidence e
    where e.application_id = a.application_id and kind = 'external_volume'
      and observed_at >= now() - interval '91 days'
    order by lower(exchange_name), observed_at desc) as v) >= 20000000
"""
PLAIN_ON_EXCHANGE = "w.volume_usd >= 20000000 and w.active_users >= 15 and w.new_users >= 5"
PLAIN_MET = f"({PLAIN_ON_EXCHANGE} or {PLAIN_EVIDENCE})"
PLAIN_COUNTS = f"""
select count(*), count(*) filter (where {PLAIN_MET})
from exchange.applications a
join exchange.accounts c using (account_id)
left join review.affiliate_window w on w.affiliate_account_id = a.account_id
where a.status = 'pending'
"""
PLAIN_OPEN = """
select * from exchange.applications a join exchange.accounts c using (account_id)
where a.application_id = {id};
select sum(volume_usd), count(distinct referred_account_id) filter (where volume_usd > 0)
from exchange.referral_activity r join exchange.applications a on a.account_id = r.affiliate_account_id
where a.application_id = {id} and activity_date > current_date - 31;
select activity_date, sum(volume_usd), count(*) from exchange.referral_activity r
join exchange.applications a on a.account_id = r.affiliate_account_id
where a.application_id = {id} and activity_date > current_date - 91 group by 1;
select date_trunc('month', activity_date), sum(volume_usd), count(distinct referred_account_id)
from exchange.referral_activity r join exchange.applications a on a.account_id = r.affiliate_account_id
where a.application_id = {id} group by 1;
select referred_account_id, sum(volume_usd) from exchange.referral_activity r
join exchange.applications a on a.account_id = r.affiliate_account_id
where a.application_id = {id} and activity_date > current_date - 31 group by 1 order by 2 desc limit 10;
select * from review.notes where application_id = {id};
select * from review.evidence where application_id = {id};
select * from review.decisions where application_id = {id};
select * from review.events where application_id = {id};
select * from review.checks where application_id = {id};
select * from review.proposals where application_id = {id};
select c.* from review.conflicts c join exchange.applications a using (account_id)
where a.application_id = {id};
select o.* from exchange.applications o join exchange.applications a using (account_id)
where a.application_id = {id};
select * from review.staff;
"""


@cache
def screen(engine: Engine) -> Engine:
    """Return an engine with the settings of the dashboard's screens."""
    options = "-c timezone=UTC -c max_parallel_workers_per_gather=0"
    return create_engine(engine.url, connect_args={"options": options})


def shown_page(engine: Engine, *, filters: Filters) -> None:
    """Read a page and the total, as the queue does: the last page is found from the end."""
    with screen(engine).connect() as connection:
        context, total = judging.read_context(connection, now=moment(engine)), None
        if filters.narrows or filters.page > 1:
            total = listing.count(connection, filters, context)
            filters = filters.on_page(min(filters.page, -(-total // PAGE_SIZE) or 1))
        listing.page(connection, filters, context, total=total)


def plain_page(
    engine: Engine, *, where: str = "", order: str = "a.submitted_at", offset: int = 0
) -> None:
    with engine.connect() as connection:
        page = PLAIN_PAGE.format(where=where and f"and {where}", order=order, offset=offset)
        connection.exec_driver_sql(page).all()
        if where:
            total = PLAIN_PAGE.split("from", 1)[1].split("order by")[0]
            connection.exec_driver_sql(
                f"select count(*) from {total.format(where=f'and {where}')}"
            ).all()


def shown_counts(engine: Engine) -> None:
    with screen(engine).connect() as connection:
        listing.counts(connection, judging.read_context(connection, now=moment(engine)))


def plain(engine: Engine, *, statements: str) -> None:
    with engine.connect() as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.exec_driver_sql(statement).all()


def some_pending(engine: Engine, number: int) -> list[int]:
    with engine.connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        on_exchange = Filters(track="on_exchange", sort=Sort.VOLUME)
        return [
            row.application_id
            for row in listing.page(connection, on_exchange, context, size=number)
        ]


class Opening:
    """Opens one application, chosen beforehand so that the choice is not timed."""

    def __init__(self) -> None:
        self.id = 0

    def find(self, engine: Engine) -> None:
        self.id = self.id or some_pending(engine, 3)[2]

    def ours(self, engine: Engine) -> None:
        with screen(engine).connect() as connection:
            opened_by = Person(email=Deciding.ACTOR, display_name="Bench", role=Role.REVIEWER)
            now = moment(engine)
            shown = opening_of.open_one(connection, self.id, Filters(), opened_by, now=now)
            opening_of.read_trends(connection, shown)

    def plain(self, engine: Engine) -> None:
        plain(engine, statements=PLAIN_OPEN.format(id=self.id))


class Deciding:
    """Approves one application after another, as at a desk, and undoes everything after the last.

    Undoing in between would measure more than deciding: it disables a trigger, after which the
    server plans every statement anew.
    """

    ACTOR = "bench@example.com"

    def __init__(self) -> None:
        self.id = 0
        self.shown: assessments.ViewedFacts | None = None
        self.ready: list[tuple[int, assessments.ViewedFacts]] = []

    def next(self, engine: Engine) -> None:
        if not self.ready:
            self.take_back(engine)
            self.ready = [(id_, self._readied(engine, id_)) for id_ in self._some(engine)]
        self.id, self.shown = self.ready.pop()

    def take_back(self, engine: Engine) -> None:
        self.ready = []
        with taking_back(engine, "events", "checks", "decisions") as connection:
            for statement in (
                "insert into review.staff values ('bench@example.com', 'Bench', 'reviewer', true) on conflict do nothing",
                "update exchange.applications set status = 'pending' where application_id in"
                " (select application_id from review.decisions where decided_by = 'bench@example.com')",
                "delete from review.outbox where decision_id in"
                " (select decision_id from review.decisions where decided_by = 'bench@example.com')",
                "delete from review.events where actor = 'bench@example.com'",
                "delete from review.checks where author = 'bench@example.com'",
                "delete from review.decisions where decided_by = 'bench@example.com'",
                "delete from review.requests where actor = 'bench@example.com'",
            ):
                connection.execute(text(statement))

    def _some(self, engine: Engine) -> list[int]:
        """Return applications that qualify, but not those of the largest affiliates."""
        return some_pending(engine, 100)[-2 * DECIDED :]

    def _readied(self, engine: Engine, id_: int) -> assessments.ViewedFacts:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "insert into review.checks (application_id, item, outcome, comment, author)"
                    " select :id, item, 'passed', '', :actor"
                    " from review.policies, unnest(required_checks) as item"
                ),
                {"id": id_, "actor": self.ACTOR},
            )
            # Unclaimed, since a colleague's claim would be refused and is not what is measured.
            connection.execute(
                text(
                    "update review.desk set assignee = null, claimed_at = null, claim_until = null"
                    " where application_id = :id"
                ),
                {"id": id_},
            )
            context = judging.read_context(connection, now=moment(engine))
            return assessments.read(connection, id_, context).viewed_facts

    def ours(self, engine: Engine) -> None:
        assert self.shown is not None
        draft = decisions.Draft(
            outcome=Decision.APPROVED,
            # Close to the standard rate, so that the cost needs no second person.
            rebate_rate=Decimal("0.1001"),
            rationale="Measured",
            message="Measured",
        )
        command = decisions.Decide(
            application_id=self.id,
            draft=draft,
            shown=self.shown,
            actor=self.ACTOR,
            at=moment(engine),
            request_id=uuid4(),
        )
        made = decisions.submit(screen(engine), command)
        assert isinstance(made, decisions.Decided)

    def plain(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"update exchange.applications set status = 'approved' where application_id = {self.id}"
            )
            connection.exec_driver_sql(
                "insert into review.decisions (application_id, outcome, rationale, rebate_rate,"
                f" decided_by, policy_version, snapshot) values ({self.id}, 'approved', 'x', 0.2,"
                " 'bench@example.com', 1, '{}')"
            )


PLAIN_EXPORT = """
with newest as (
    select distinct on (application_id, kind, lower(coalesce(exchange_name, ''))) application_id, kind, value
    from review.evidence where observed_at >= current_date - 91
    order by application_id, kind, lower(coalesce(exchange_name, '')), observed_at desc),
outside as (
    select application_id, max(value) filter (where kind = 'x_followers') as followers,
           sum(value) filter (where kind = 'external_volume') as volume
    from newest group by 1)
select a.application_id, a.account_id, c.username, c.country_code, c.kyc_status, a.social_platform,
       a.social_handle, a.contact_platform, a.contact_handle, a.submitted_at, a.status, null,
       current_date - 1, current_date - 30, current_date - 1, w.volume_usd, w.active_users, w.new_users,
       o.followers, o.volume,
       w.volume_usd >= 20000000 and w.active_users >= 15 and w.new_users >= 5,
       o.followers > 5000 or o.volume >= 20000000, null, null, null, null, 1,
       d.decided_at, d.decided_by, d.reason_code, d.rebate_rate
from exchange.applications a
join exchange.accounts c using (account_id)
left join review.affiliate_window w on w.affiliate_account_id = a.account_id
left join outside o on o.application_id = a.application_id
left join review.decisions d on d.application_id = a.application_id
order by a.application_id
"""


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def exported(engine: Engine) -> None:
    """Run the command in its own process; its memory is checked too."""
    command = ["data_access", "export", "applications", "/dev/null"]
    peak = memory.peak_of(command, {**os.environ, "DATABASE_URL": address(engine)})
    print(f"  the export's process peaked at {peak / 1024:.0f} MB", flush=True)
    if peak > EXPORT_MEMORY_KB:
        raise AssertionError(f"the export took {peak / 1024:.0f} MB")


EXPORT_MEMORY_KB = 100 * 1024


def copied(engine: Engine) -> None:
    """Run ``\\copy`` of the same query."""
    with engine.connect() as connection:
        context = judging.read_context(connection, now=moment(engine))
        statement = explore_exported.applications(Filters(), context)
        compiled = statement.compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        driver: Any = connection.connection.driver_connection
        query = psycopg.ClientCursor(driver).mogrify(str(compiled), compiled.params)
    copy(engine, query)


def copied_simply(engine: Engine) -> None:
    """Run ``\\copy`` of simpler SQL: no formula guard, no formatting, no superseded decisions."""
    copy(engine, PLAIN_EXPORT)


def copy(engine: Engine, query: str) -> None:
    line = " ".join(query.split())
    command = f"\\copy ({line}) to /dev/null with (format csv, header)"
    server = address(engine).replace("postgresql+psycopg", "postgresql")
    settings = "set work_mem = '256MB'"
    subprocess.run(
        [binaries() / "psql", server, "-c", settings, "-c", command],
        check=True,
        capture_output=True,
    )


def paged(name: str, filters: Filters, *, bar_ms: float, **given: Any) -> Measurement:
    return Measurement(
        name=name,
        ours=partial(shown_page, filters=filters),
        plain=partial(plain_page, **given),
        bar_s=bar_ms * MS,
    )


LAST_PAGE = 20_000 // PAGE_SIZE
opening, deciding = Opening(), Deciding()
MEASUREMENTS: tuple[Measurement, ...] = (
    paged("queue by priority, first page", Filters(), bar_ms=60),
    paged("queue by priority, unassigned", Filters(owner=Owner.UNASSIGNED), bar_ms=60),
    paged("queue by waiting, first page", Filters(sort=Sort.WAITING), bar_ms=10),
    paged(
        "queue by waiting, last page",
        Filters(sort=Sort.WAITING, page=LAST_PAGE),
        bar_ms=10,
        offset=(LAST_PAGE - 1) * PAGE_SIZE,
    ),
    paged("filter: met", Filters(eligibility=(Outcome.MET,)), bar_ms=150, where=PLAIN_MET),
    paged(
        "filter: not met",
        Filters(eligibility=(Outcome.NOT_MET,)),
        bar_ms=150,
        where=f"not {PLAIN_MET}",
    ),
    paged(
        "filter: unknown",
        Filters(eligibility=(Outcome.UNKNOWN,)),
        bar_ms=150,
        where=f"not {PLAIN_MET}",
    ),
    paged("filter: on-exchange", Filters(track="on_exchange"), bar_ms=150, where=PLAIN_ON_EXCHANGE),
    paged("filter: external", Filters(track="external"), bar_ms=150, where=PLAIN_EVIDENCE),
    paged(
        "filter: both tracks",
        Filters(track="both"),
        bar_ms=150,
        where=f"({PLAIN_ON_EXCHANGE}) and ({PLAIN_EVIDENCE})",
    ),
    paged("filter: country", Filters(country="BR"), bar_ms=150, where="c.country_code = 'BR'"),
    paged(
        "filter: platform",
        Filters(platform="youtube"),
        bar_ms=150,
        where="a.social_platform = 'youtube'",
    ),
    paged(
        "filter: waiting 14 d",
        Filters(waiting_days=14),
        bar_ms=150,
        where="a.submitted_at <= now() - interval '14 days'",
    ),
    paged(
        "filter: met, one country",
        Filters(eligibility=(Outcome.MET,), country="BR"),
        bar_ms=150,
        where=f"c.country_code = 'BR' and {PLAIN_MET}",
    ),
    paged("sort: newest", Filters(sort=Sort.SUBMITTED), bar_ms=150, order="a.submitted_at desc"),
    paged(
        "sort: volume", Filters(sort=Sort.VOLUME), bar_ms=150, order="w.volume_usd desc nulls last"
    ),
    paged(
        "sort: active users",
        Filters(sort=Sort.ACTIVE),
        bar_ms=150,
        order="w.active_users desc nulls last",
    ),
    paged(
        "search: part of a name",
        Filters(search="der147"),
        bar_ms=50,
        where="(c.username ilike '%%der147%%' or a.social_handle ilike '%%der147%%' or a.contact_handle ilike '%%der147%%')",
    ),
    paged(
        "search: nothing like it",
        Filters(search="zzqqzz"),
        bar_ms=50,
        where="(c.username ilike '%%zzqqzz%%' or a.social_handle ilike '%%zzqqzz%%' or a.contact_handle ilike '%%zzqqzz%%')",
    ),
    Measurement(
        name="counts by eligibility",
        ours=shown_counts,
        plain=partial(plain, statements=PLAIN_COUNTS),
        bar_s=150 * MS,
    ),
    Measurement(
        name="open an application",
        ours=opening.ours,
        plain=opening.plain,
        prepare=opening.find,
        bar_s=50 * MS,
    ),
    Measurement(
        name="decide",
        ours=deciding.ours,
        plain=deciding.plain,
        prepare=deciding.next,
        check=deciding.take_back,
        bar_s=10 * MS,
        turns=DECIDED,
    ),
    Measurement(name="export 1,000,000 rows", ours=exported, plain=copied, bar=1.2, turns=3),
    Measurement(name="the same, simpler SQL", ours=exported, plain=copied_simply, turns=3),
)
