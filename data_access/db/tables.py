"""The tables for SQLAlchemy Core, as defined by the migration's schema.

Columns, types and keys are parsed from the files in ``migrations/schema``, which have one column
per line; a test compares the result with the database.
"""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, JSONB
from sqlalchemy.types import TypeEngine

SCHEMA = Path(__file__).parent / "migrations" / "schema"
TYPES: dict[str, TypeEngine[Any]] = {
    "bigint": BigInteger(),
    "boolean": Boolean(),
    "bytea": LargeBinary(),
    "char": Text(),
    "date": Date(),
    "datemultirange": DATEMULTIRANGE(),
    "integer": Integer(),
    "jsonb": JSONB(),
    "smallint": SmallInteger(),
    "text": Text(),
    "timestamptz": DateTime(timezone=True),
    "uuid": Uuid(),
}
_TABLE = re.compile(r"^create (?:unlogged )?table (\S+) \(\n(.*?)\n\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r'^    "?(\w+)"? (\w+)(?:\((\d+)(?:, ?(\d+))?\))?(\[\])?', re.MULTILINE)
_KEY = re.compile(r"^    constraint \S+ primary key \((.*?)\)", re.MULTILINE)
_BODIES: dict[str, str] = {
    name: body
    for subject in sorted(SCHEMA.glob("*.sql"))
    for name, body in _TABLE.findall(subject.read_text(encoding="utf-8"))
}
metadata = MetaData()
# Rows are added and never changed or removed; a trigger with this name enforces it.
APPEND_ONLY = (
    "notes",
    "evidence",
    "checks",
    "decisions",
    "events",
    "policies",
    "exports",
    "policy_events",
    "affiliate_events",
    "holiday_changes",
    "form_maps",
    "form_imports",
    "kept_row_events",
    "conflicts",
    "contact_reads",
    "risk_dismissals",
    "message_templates",
    "delivery_settings",
    "report_mail_settings",
    "requalifications",
    "holds",
    "erasures",
    "history_formats",
    "history_entries",
    "history_links",
    "history_genesis",
    "history_salts",
    "history_erased",
    "staff_events",
)
GUARD = "append_only"


def _table(name: str) -> Table:
    body, (schema, plain_name) = _BODIES[name], name.split(".")
    key = _KEY.search(body)
    keys = key[1].split(", ") if key else []
    columns = [
        Column(column, _type(kind, digits, decimals, bool(array)), primary_key=column in keys)
        for column, kind, digits, decimals, array in _COLUMN.findall(body)
        if kind in TYPES or kind == "numeric"
    ]
    return Table(plain_name, metadata, *columns, schema=schema)


def _type(kind: str, digits: str, decimals: str, array: bool) -> TypeEngine[Any]:
    if kind == "numeric":
        return Numeric(int(digits), int(decimals)) if digits else Numeric()
    return ARRAY(TYPES[kind]) if array else TYPES[kind]


def _view(name: str, of: Table) -> Table:
    """Return a view of some rows of a table."""
    schema, plain_name = name.split(".")
    columns = (Column(column.name, column.type) for column in of.c)
    return Table(plain_name, metadata, *columns, schema=schema)


accounts = _table("exchange.accounts")
applications = _table("exchange.applications")
referrals = _table("exchange.referrals")
referral_activity = _table("exchange.referral_activity")
staff = _table("review.staff")
sessions = _table("review.sessions")
staff_events = _table("review.staff_events")
leave = _table("review.leave")
policies = _table("review.policies")
requests = _table("review.requests")
evidence = _table("review.evidence")
notes = _table("review.notes")
checks = _table("review.checks")
decisions = _table("review.decisions")
# Of each application the decision that no later one supersedes.
current_decisions = _view("review.current_decisions", decisions)
events = _table("review.events")
outbox = _table("review.outbox")
exports = _table("review.exports")
loads = _table("review.loads")
archived_months = _table("review.archived_months")
form_maps = _table("review.form_maps")
form_imports = _table("review.form_imports")
kept_rows = _table("review.kept_rows")
kept_row_events = _table("review.kept_row_events")
refreshes = _table("review.refreshes")
affiliate_daily = _table("review.affiliate_daily")
affiliate_monthly = _table("review.affiliate_monthly")
affiliate_window = _table("review.affiliate_window")
carried = _table("review.carried")
carried_sums = _table("review.carried_sums")
carried_users = _table("review.carried_users")
carried_cohorts = _table("review.carried_cohorts")
desk = _table("review.desk")
standings = _table("review.standings")
standing_sums = _table("review.standing_sums")
standing_basis = _table("review.standing_basis")
viewers = _table("review.viewers")
contact_reads = _table("review.contact_reads")
risk_measures = _table("review.risk_measures")
risk_dismissals = _table("review.risk_dismissals")
# Of each signal of an account the newest.
standing_dismissals = _view("review.standing_dismissals", risk_dismissals)
risk_alerts = _table("review.risk_alerts")
risk_digests = _table("review.risk_digests")
proposals = _table("review.proposals")
saved_views = _table("review.saved_views")
preferences = _table("review.preferences")
holidays = _table("review.holidays")
holiday_changes = _table("review.holiday_changes")
conflicts = _table("review.conflicts")
jobs = _table("review.jobs")
bulk_runs = _table("review.bulk_runs")
policy_drafts = _table("review.policy_drafts")
policy_events = _table("review.policy_events")
policy_withdrawals = _table("review.policy_withdrawals")
requalifications = _table("review.requalifications")
affiliate_tested = _table("review.affiliate_tested")
affiliate_counts = _table("review.affiliate_counts")
affiliate_standings = _table("review.affiliate_standings")
affiliate_events = _table("review.affiliate_events")
affiliate_outcomes = _table("review.affiliate_outcomes")
outcome_counts = _table("review.outcome_counts")
affiliate_segments = _table("review.affiliate_segments")
segment_daily = _table("review.segment_daily")
segment_monthly = _table("review.segment_monthly")
program_monthly = _table("review.program_monthly")
month_leaders = _table("review.month_leaders")
referral_cohorts = _table("review.referral_cohorts")
application_courses = _table("review.application_courses")
work_daily = _table("review.work_daily")
work_monthly = _table("review.work_monthly")
work_counted = _table("review.work_counted")
uncounted = _table("review.uncounted")
message_templates = _table("review.message_templates")
delivery_settings = _table("review.delivery_settings")
delivery_proposals = _table("review.delivery_proposals")
report_mail_settings = _table("review.report_mail_settings")
report_mails = _table("review.report_mails")
text_rules = _table("review.text_rules")
holds = _table("review.holds")
erasures = _table("review.erasures")
history_formats = _table("review.history_formats")
history_entries = _table("review.history_entries")
history_links = _table("review.history_links")
history_genesis = _table("review.history_genesis")
history_head = _table("review.history_head")
history_salts = _table("review.history_salts")
history_erased = _table("review.history_erased")
