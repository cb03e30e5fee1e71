"""Who may do what with which table: the rules as data, made true and compared with the database.

Grants, the doctor's check, the table in docs/deploy.md and the tests are derived from ``RULES``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from data_access.db import database, roles
from data_access.db.database import Purpose
from data_access.db.errors import Invalid
from data_access.db.roles import FACTS_OWNER, HISTORY_OWNER, Login

WRITER, READER, LOADER, DELIVERER, ANALYST = Login
SCHEMAS = ("review", "exchange", "report")
EVERYTHING = "*"
PUBLIC = "public"
STAFF_ACTS = (WRITER, READER, LOADER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who owns a table, and what each login may do there.

    ``insert`` covers every column but identities, generated ones and ``by_database``. ``update``
    names the columns, or ``*`` for all of them; whoever locks rows needs at least one.
    """

    table: str
    owner: str = HISTORY_OWNER
    select: tuple[Login, ...] = STAFF_ACTS
    insert: tuple[Login, ...] = ()
    update: Mapping[Login, str] = field(default_factory=dict)
    delete: tuple[Login, ...] = ()
    by_database: tuple[str, ...] = ()


def _history(table: str, *who: Login, by_database: tuple[str, ...] = ()) -> Rule:
    return Rule(table=f"review.{table}", insert=who, by_database=by_database)


def _rollup(table: str) -> Rule:
    # The loader has the owner's rights.
    return Rule(table=table, owner=FACTS_OWNER, select=(WRITER, READER))


CLOSED = "closed_as closed_by closed_at"
SENDING = "attempts next_attempt_at leased_by lease_until ended_at sent last_error"
RULES: tuple[Rule, ...] = (
    # What staff judged and did: added, never changed. Nobody has update or delete here.
    _history("notes", WRITER),
    _history("evidence", WRITER),
    _history("checks", WRITER),
    _history("conflicts", WRITER),
    _history("decisions", WRITER, by_database=("position",)),
    _history("events", WRITER, LOADER, DELIVERER),
    _history("policies", WRITER),
    _history("policy_events", WRITER),
    _history("holiday_changes", WRITER),
    _history("affiliate_events", WRITER),
    _history("staff_events", WRITER),
    _history("contact_reads", WRITER),
    _history("risk_dismissals", WRITER),
    Rule(table="review.risk_alerts", select=(*STAFF_ACTS, DELIVERER), insert=(LOADER,)),
    _history("exports", WRITER, by_database=("exported_at",)),
    _history("form_maps", WRITER, LOADER),
    _history("form_imports", LOADER),
    _history("kept_row_events", LOADER),
    _history("requalifications", LOADER),
    Rule(table="review.message_templates", select=(*STAFF_ACTS, DELIVERER), insert=(WRITER,)),
    Rule(table="review.delivery_settings", select=(*STAFF_ACTS, DELIVERER), insert=(WRITER,)),
    Rule(table="review.report_mail_settings", select=(*STAFF_ACTS, DELIVERER), insert=(WRITER,)),
    # The chain over it: its triggers write with the rights of their owner.
    _history("text_rules"),
    _history("holds"),
    _history("erasures"),
    _history("history_formats"),
    _history("history_entries"),
    _history("history_links"),
    _history("history_genesis"),
    _history("history_head"),
    _history("history_salts"),
    _history("history_erased"),
    # The desk: states that acts change.
    Rule(
        table="review.staff",
        select=(*STAFF_ACTS, DELIVERER),
        insert=(WRITER,),
        update={
            WRITER: "display_name role active issuer subject signed_in_after last_seen_at",
        },
    ),
    Rule(table="review.leave", insert=(WRITER,), delete=(WRITER,)),
    Rule(
        table="review.sessions",
        insert=(WRITER,),
        update={WRITER: "last_seen_at ended_at"},
        delete=(WRITER,),
        by_database=("begun_at", "last_seen_at", "ended_at"),
    ),
    Rule(
        table="review.preferences",
        insert=(WRITER,),
        update={WRITER: "value"},
    ),
    Rule(
        table="review.saved_views",
        insert=(WRITER,),
        update={WRITER: "name shared query screen request_id owner"},
        delete=(WRITER,),
    ),
    Rule(
        table="review.jobs",
        insert=(WRITER,),
        update={
            WRITER: "lease lease_until cancel_asked_at done expected folder ended_at outcome "
            "sentence"
        },
        delete=(WRITER,),
    ),
    Rule(
        table="review.policy_drafts",
        insert=(WRITER,),
        update={
            WRITER: "revision base_version settings note effective_from saved_at proposed_at "
            f"reason version {CLOSED}"
        },
    ),
    Rule(
        table="review.policy_withdrawals",
        insert=(WRITER,),
        update={WRITER: f"{CLOSED} closing_reason"},
    ),
    Rule(
        table="review.holidays",
        insert=(WRITER,),
        update={WRITER: "name"},
        delete=(WRITER,),
    ),
    Rule(table="review.requests", insert=(WRITER, LOADER), delete=(LOADER,)),
    Rule(
        table="review.desk",
        insert=(WRITER,),
        update={
            WRITER: "status status_at assignee claimed_at claim_until clock_from paused_at "
            "answered_at deferred_until deferred_answers"
        },
    ),
    Rule(table="review.viewers", insert=(WRITER,), update={WRITER: "seen_at"}),
    Rule(table="review.proposals", insert=(WRITER,), update={WRITER: CLOSED}),
    Rule(table="review.bulk_runs", insert=(WRITER,), update={WRITER: "finished_at results"}),
    Rule(
        table="review.outbox",
        select=(*STAFF_ACTS, DELIVERER),
        insert=(WRITER,),
        update={
            WRITER: "attempts next_attempt_at stopped_as stopped_at retried_at sent",
            DELIVERER: "attempts next_attempt_at delivered_at last_error last_reason leased_by "
            "lease_until stopped_as stopped_at sent",
        },
    ),
    Rule(
        table="review.risk_digests",
        select=(*STAFF_ACTS, DELIVERER),
        insert=(DELIVERER,),
        update={DELIVERER: SENDING},
    ),
    Rule(
        table="review.report_mails",
        select=(*STAFF_ACTS, DELIVERER),
        insert=(DELIVERER,),
        update={DELIVERER: SENDING},
    ),
    Rule(table="review.delivery_proposals", insert=(WRITER,), update={WRITER: CLOSED}),
    Rule(
        table="review.affiliate_standings",
        insert=(WRITER,),
        update={WRITER: "status since changed_by reason_code reason misses count_from"},
        delete=(WRITER,),
    ),
    Rule(
        table="review.kept_rows",
        insert=(LOADER,),
        update={LOADER: "cells problems state application_id settled_by settled_at"},
    ),
    Rule(table="review.loads", insert=(LOADER,)),
    # Kept by triggers with the rights of their owner; a refresh restates and empties them.
    Rule(
        table="review.standings",
        insert=(LOADER,),
        update={LOADER: EVERYTHING},
        delete=(LOADER,),
    ),
    Rule(
        table="review.standing_basis",
        insert=(LOADER,),
        update={LOADER: EVERYTHING},
        delete=(LOADER,),
    ),
    Rule(table="review.standing_sums", insert=(LOADER,), delete=(LOADER,)),
    Rule(table="review.uncounted", delete=(LOADER,)),
    # The exchange's facts. Whoever locks an application needs update on one column of it.
    Rule(
        table="exchange.accounts",
        select=(*STAFF_ACTS, DELIVERER),
        insert=(LOADER,),
        update={LOADER: "username email country_code kyc_status created_at"},
    ),
    Rule(
        table="exchange.applications",
        select=(*STAFF_ACTS, DELIVERER),
        insert=(LOADER,),
        update={
            WRITER: "status status_changed_at",
            LOADER: "account_id social_platform social_handle contact_platform contact_handle "
            "submitted_at status status_changed_at",
            DELIVERER: "status_changed_at",
        },
    ),
    Rule(
        table="exchange.referrals",
        insert=(LOADER,),
        update={LOADER: "affiliate_account_id referred_at"},
    ),
    # What loads and refreshes build and replace.
    _rollup("exchange.referral_activity"),
    _rollup("review.archived_months"),
    _rollup("review.refreshes"),
    _rollup("review.affiliate_daily"),
    _rollup("review.affiliate_monthly"),
    _rollup("review.affiliate_window"),
    _rollup("review.carried"),
    _rollup("review.carried_sums"),
    _rollup("review.carried_users"),
    _rollup("review.carried_cohorts"),
    _rollup("review.affiliate_tested"),
    _rollup("review.affiliate_counts"),
    _rollup("review.affiliate_outcomes"),
    _rollup("review.risk_measures"),
    _rollup("review.outcome_counts"),
    _rollup("review.affiliate_segments"),
    _rollup("review.segment_daily"),
    _rollup("review.segment_monthly"),
    _rollup("review.month_leaders"),
    _rollup("review.program_monthly"),
    _rollup("review.referral_cohorts"),
    _rollup("review.application_courses"),
    _rollup("review.work_daily"),
    _rollup("review.work_monthly"),
    _rollup("review.work_counted"),
    # Views, and the schema's version.
    Rule(table="review.current_decisions", select=(*STAFF_ACTS, DELIVERER)),
    Rule(table="review.standing_dismissals"),
    Rule(table="review.alembic_version", select=(*STAFF_ACTS, DELIVERER)),
    Rule(table="report.applications", select=(ANALYST,)),
    Rule(table="report.decisions", select=(ANALYST,)),
    Rule(table="report.affiliates", select=(ANALYST,)),
    Rule(table="report.monthly", select=(ANALYST,)),
)
BY_TABLE = {rule.table: rule for rule in RULES}
# Rights on what is not a table.
SCHEMA_RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "review": {"usage": (*STAFF_ACTS, DELIVERER, FACTS_OWNER), "create": (FACTS_OWNER,)},
    "exchange": {"usage": (*STAFF_ACTS, DELIVERER, FACTS_OWNER), "create": (FACTS_OWNER,)},
    "report": {"usage": (ANALYST,)},
    "public": {"usage": (PUBLIC,)},
}
SEQUENCE_RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "exchange.applications_application_id_seq": {"usage": (LOADER,), "update": (LOADER,)},
    # Sums are merged by how many were added.
    "review.standing_sums_sum_id_seq": {"usage": (LOADER,)},
}
DATABASE_RIGHTS = {"temporary": (LOADER,), "create": (HISTORY_OWNER,)}
# The limits of each login, which a connection through a pooler has too.
LIMITS: Mapping[Login, Mapping[str, str]] = {
    WRITER: database.settings_of(Purpose.WRITER),
    READER: database.settings_of(Purpose.READER),
    LOADER: database.settings_of(Purpose.LOADER),
    DELIVERER: database.settings_of(Purpose.DELIVERER),
    ANALYST: database.settings_of(Purpose.REPORTER),
}
RELATIONS = """
select c.oid::regclass::text as name, c.relkind::text as kind, c.relowner::regrole::text as owner,
    c.relispartition, coalesce(parent.oid::regclass::text, '') as parent,
    array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0
        and not attisdropped and attidentity <> 'a' and attgenerated = '' order by attnum) as given,
    array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0
        and not attisdropped order by attnum) as columns
from pg_class c
left join pg_inherits on inhrelid = c.oid left join pg_class parent on parent.oid = inhparent
where c.relnamespace = any(array(select oid from pg_namespace where nspname = any(:schemas)))
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1
"""
# Every right on a table or a column that one of our roles or everybody has.
RIGHTS = """
with ours as (select oid, rolname::text as name from pg_roles where rolname = any(:roles)
    union all select 0, 'public')
select name as role, lower(privilege_type) as right, what, column_name from ours join (
    select (aclexplode(coalesce(relacl, acldefault('r', relowner)))).*,
        oid::regclass::text as what, '' as column_name, relowner as owner
    from pg_class where relkind in ('r', 'p', 'v', 'm', 'f')
        and relnamespace = any(array(select oid from pg_namespace where nspname = any(:schemas)))
    union all
    select (aclexplode(attacl)).*, attrelid::regclass::text, attname::text, relowner
    from pg_attribute join pg_class c on c.oid = attrelid
    where attacl is not null and not attisdropped
        and relnamespace = any(array(select oid from pg_namespace where nspname = any(:schemas)))
    union all
    select (aclexplode(coalesce(relacl, acldefault('s', relowner)))).*,
        'sequence ' || oid::regclass::text, '', relowner
    from pg_class where relkind = 'S'
        and relnamespace = any(array(select oid from pg_namespace where nspname = any(:schemas)))
    union all
    select (aclexplode(coalesce(nspacl, acldefault('n', nspowner)))).*,
        'schema ' || nspname, '', nspowner
    from pg_namespace where nspname = any(cast(:schemas as text[]) || array['public'])
    union all
    select (aclexplode(coalesce(datacl, acldefault('d', datdba)))).*, 'database', '', datdba
    from pg_database where datname = current_database()
) as held on held.grantee = ours.oid and held.grantee <> held.owner
"""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What a role may do with a table, a column of it, or another object."""

    role: str
    right: str
    what: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.role}: {self.right} on {self.what}" + (
            f".{self.column}" if self.column else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or view of the database."""

    name: str
    kind: str
    owner: str
    parent: str
    given: tuple[str, ...]
    columns: tuple[str, ...]


def relations(connection: Connection) -> list[Relation]:
    """Return the tables and views of our schemas; partitions name their parent."""
    found = connection.execute(text(RELATIONS), {"schemas": list(SCHEMAS)}).mappings()
    return [
        Relation(
            name=row["name"],
            kind=row["kind"],
            owner=row["owner"],
            parent=row["parent"] if row["relispartition"] else "",
            given=tuple(row["given"]),
            columns=tuple(row["columns"]),
        )
        for row in found
    ]


def is_separated(connection: Connection) -> bool:
    """Whether the database's history belongs to its own owner."""
    found = connection.execute(
        text("select nspowner::regrole::text from pg_namespace where nspname = 'review'")
    )
    return found.scalar_one_or_none() == HISTORY_OWNER


def expected(there: Iterable[Relation]) -> set[Right]:
    """Return every right that the roles should have, and no other."""
    rights = {
        Right(role, right, what)
        for kind, objects in (("schema", SCHEMA_RIGHTS), ("sequence", SEQUENCE_RIGHTS))
        for what, given in ((f"{kind} {name}", given) for name, given in objects.items())
        for right, holders in given.items()
        for role in holders
    }
    rights |= {
        Right(role, right, "database") for right, who in DATABASE_RIGHTS.items() for role in who
    }
    for relation in there:
        rule = BY_TABLE.get(relation.name)
        if rule is not None and not relation.parent:
            rights |= set(_of(rule, relation))
    return rights


def _of(rule: Rule, relation: Relation) -> Iterator[Right]:
    for right, holders in (("select", rule.select), ("delete", rule.delete)):
        for login in holders:
            yield Right(login, right, rule.table)
    for login in rule.insert:
        for column in relation.given:
            if column not in rule.by_database:
                yield Right(login, "insert", rule.table, column)
    for login, names in rule.update.items():
        for column in relation.columns if names == EVERYTHING else names.split():
            yield Right(login, "update", rule.table, column)


def actual(connection: Connection) -> set[Right]:
    """Return every right that one of the roles, or everybody, was granted."""
    given = {"schemas": list(SCHEMAS), "roles": [*roles.OWNERS, *map(str, Login)]}
    rows = connection.execute(text(RIGHTS), given)
    # That everybody may connect is the server's own affair.
    return {Right(*row) for row in rows if (row.what, row.right) != ("database", "connect")}


def differences(connection: Connection) -> list[str]:
    """Return what differs from the rules, in words, of a database whose logins are separate."""
    there = relations(connection)
    wanted, held = expected(there), actual(connection)
    return [
        *(f"{name} has no rule" for name in without_rule(there)),
        *(f"{one} is missing" for one in sorted(wanted - held)),
        *(f"{one} is too much" for one in sorted(held - wanted)),
        *(f"{what} belongs to {owner}" for what, owner, _ in _misowned(connection, there)),
        *_unfit_roles(connection),
        *(
            f"{login}: the settings {', '.join(sorted(s))} are missing"
            for login, s in _unset(connection)
        ),
    ]


def without_rule(there: Iterable[Relation]) -> list[str]:
    """Return the tables and views that no rule covers."""
    return [one.name for one in there if not one.parent and one.name not in BY_TABLE]


def _owner(relation: Relation) -> str:
    rule = BY_TABLE.get(relation.parent or relation.name)
    return rule.owner if rule else HISTORY_OWNER


OTHER_OWNERS = """
select 'schema', nspname::text, nspowner::regrole::text from pg_namespace
where nspname = any(:schemas) and nspowner <> to_regrole(:owner)::oid
union all
select 'routine', p.oid::regprocedure::text, proowner::regrole::text from pg_proc p
where pronamespace = any(array(select oid from pg_namespace where nspname = any(:schemas)))
    and proowner <> to_regrole(:owner)::oid
order by 1 desc, 2
"""


def _misowned(connection: Connection, there: Iterable[Relation]) -> list[tuple[str, str, str]]:
    """Return what has another owner than it should: its name, its owner, the right owner."""
    kinds = {"v": "view", "m": "materialized view"}
    found = [
        (f"{kinds.get(one.kind, 'table')} {one.name}", one.owner, _owner(one))
        for one in there
        if one.owner != _owner(one)
    ]
    given = {"schemas": list(SCHEMAS), "owner": HISTORY_OWNER}
    others = connection.execute(text(OTHER_OWNERS), given)
    # Schemas first: an owner must have the right to create in the schema.
    return [(f"{kind} {name}", owner, HISTORY_OWNER) for kind, name, owner in others] + found


MIGHTY = """
select rolname::text || ' is a ' || case when rolsuper then 'superuser'
    else 'role that may create databases or roles, replicate or pass row security' end
from pg_roles where rolname = any(:roles)
    and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)
union all
select rolname::text || ' may sign in' from pg_roles where rolname = any(:owners) and rolcanlogin
union all
select member::regrole::text || ' has the rights of ' || roleid::regrole::text
from pg_auth_members join pg_roles login on login.oid = member
where (login.rolname = any(:roles) or (roleid::regrole::text = any(:roles)
        and not login.rolcreaterole and not login.rolsuper))
    and (login.rolname::text || ' ' || roleid::regrole::text) <> all(:allowed)
"""


def _unfit_roles(connection: Connection) -> list[str]:
    given = {
        "roles": [*roles.OWNERS, *map(str, Login)],
        "owners": list(roles.OWNERS),
        "allowed": [f"{member} {owner}" for member, owner in roles.MEMBERS.items()],
    }
    return sorted(connection.execute(text(MIGHTY), given).scalars())


SETTINGS = """
select rolname::text, split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
from pg_db_role_setting join pg_roles r on r.oid = setrole join pg_database d on d.oid = setdatabase
cross join unnest(setconfig) as setting where datname = current_database()
"""


def _unset(connection: Connection) -> list[tuple[Login, dict[str, str]]]:
    """Return the settings that each login lacks in this database."""
    held = {(role, name, value) for role, name, value in connection.execute(text(SETTINGS))}
    missing = (
        (login, {n: v for n, v in limits.items() if (login, n, v) not in held})
        for login, limits in LIMITS.items()
    )
    return [(login, settings) for login, settings in missing if settings]


def apply(engine: Engine, passwords: Mapping[str, str]) -> list[str]:
    """Make the roles, owners, grants and settings; returns what was changed, in words.

    Changes only what differs, so that it is safe to repeat, and takes nothing away from other
    roles. Raises Invalid for a table without a rule.
    """
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        # The login itself, not the owner that it acts as.
        driver.execute("set local role none")
        done = [f"role {name} created" for name in roles.make(driver, passwords)]
        there = relations(connection)
        if unknown := without_rule(there):
            raise Invalid(f"No rule says who may use {', '.join(unknown)}: see privileges.py.")
        # First, since an owner must have the right to create.
        done += _grant(connection, driver, there)
        handed_over = _misowned(connection, there)
        for what, _, owner in handed_over:
            driver.execute(f"alter {what} owner to {owner}".encode())
        if handed_over:
            done.append(f"{len(handed_over):,} tables, views and functions given to their owners")
        done += _grant(connection, driver, relations(connection))
        for login, settings in _unset(connection):
            for name, value in settings.items():
                _set(driver, login, name, value)
            done.append(f"settings of {login} made")
    return done


def _grant(
    connection: Connection, driver: psycopg.Connection[object], there: list[Relation]
) -> list[str]:
    wanted, held = expected(there), actual(connection)
    surplus, missing = held - wanted, wanted - held
    orders = [
        *(_statement("revoke {} on {} from {}", one, driver) for one in sorted(surplus)),
        *(_statement("grant {} on {} to {}", one, driver) for one in sorted(missing)),
    ]
    if orders:
        driver.execute(sql.SQL("; ").join(orders))
    counts = ((len(surplus), "rights taken"), (len(missing), "rights given"))
    return [f"{number:,} {what}" for number, what in counts if number]


def _statement(words: str, one: Right, driver: psycopg.Connection[object]) -> sql.Composed:
    right: sql.Composable = sql.SQL(one.right)
    if one.column:
        right = sql.SQL("{} ({})").format(right, sql.Identifier(one.column))
    what: sql.Composable = sql.SQL(one.what)
    if one.what == "database":
        what = sql.SQL("database {}").format(sql.Identifier(driver.info.dbname))
    role = sql.SQL(PUBLIC) if one.role == PUBLIC else sql.Identifier(one.role)
    return sql.SQL(words).format(right, what, role)


def _set(driver: psycopg.Connection[object], login: Login, setting: str, value: str) -> None:
    order = sql.SQL("alter role {} in database {} set {} to {}")
    names = map(sql.Identifier, (login, driver.info.dbname, setting))
    driver.execute(order.format(*names, sql.Literal(value)))
