"""Merging applications: who applied must be known, one may be pending, decisions stay."""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from sqlalchemy import text

from data_access.loading.arrival import Arrival, Merged, refuse_repeated, staged_value
from data_access.loading.staging import TABLE

APPLICATIONS = "exchange.applications"
SEQUENCE = f"pg_get_serial_sequence('{APPLICATIONS}', 'application_id')"
DECIDED = "t.status in ('approved', 'rejected')"
# What was decided here is decided here again once reopened; upstream may still withdraw it.
REOPENED = (
    "t.status = 'pending' and exists (select from review.decisions d "
    "where d.application_id = t.application_id)"
)


def merge(arrival: Arrival) -> Merged:
    """Bring staged applications into their table. Raises LoadRefused.

    A row without id is the application of that account submitted at that moment. One already
    decided here keeps its status. Statuses stay where the file has no such column.
    """
    if "account_name" in arrival.names:
        _find_accounts_by_name(arrival)
    _refuse_unknown_accounts(arrival)
    _match_without_id(arrival)
    refuse_repeated(arrival, ("application_id",), "application_id is not null")
    refuse_repeated(arrival, ("account_id", "submitted_at"), "application_id is null")
    _hold_still(arrival)
    _refuse_second_pending(arrival)
    _tell_of_withdrawals(arrival)
    # Those that cease to be pending make room for those that become it.
    updated = _update(arrival, "n.status <> 'pending'") + _update(arrival, "n.status = 'pending'")
    return Merged(inserted=_insert(arrival), updated=updated)


def _find_accounts_by_name(arrival: Arrival) -> None:
    named = (
        "select s.staged, s.account_id, s.account_name, count(a.account_id) as found, "
        "min(a.account_id) as only_id, bool_or(a.account_id = s.account_id) as agrees "
        f"from {TABLE} s left join exchange.accounts a "
        "on a.username = normalize(s.account_name, nfc) "
        "group by 1, 2, 3"
    )
    for found, column, reason in (
        (
            "account_name is not null and account_id is null and found = 0",
            "username",
            "is not the username of a known account; load the account first, or give its id",
        ),
        (
            "found > 1 and account_id is null",
            "username",
            "is several accounts' username; give the account's id",
        ),
        (
            "account_name is not null and account_id is not null and agrees is not true",
            "username",
            "is not the username of the account that the row's id names",
        ),
    ):
        arrival.name_rows(
            f"select staged, account_name, null::bigint from ({named}) n where {found}",
            column,
            reason,
        )
    arrival.run(
        f"update {TABLE} s set account_id = n.only_id from ({named}) n "
        "where n.staged = s.staged and s.account_id is null and n.found = 1"
    )
    arrival.name_rows(
        f"select staged, null, null::bigint from {TABLE} where account_id is null "
        "and account_name is null",
        "account_id",
        "and the username are both empty; the row names no account",
    )


def _refuse_unknown_accounts(arrival: Arrival) -> None:
    arrival.name_rows(
        f"select s.staged, s.account_id::text, null::bigint from {TABLE} s "
        "where s.account_id is not null and not exists "
        "(select from exchange.accounts a where a.account_id = s.account_id)",
        "account_id",
        "is not a known account; load the accounts first",
    )
    arrival.problems.refuse_if_any()


def _match_without_id(arrival: Arrival) -> None:
    arrival.run(
        f"update {TABLE} s set application_id = t.application_id from "
        "(select account_id, submitted_at, min(application_id) as application_id "
        f"from {APPLICATIONS} group by 1, 2) t where s.application_id is null "
        "and t.account_id = s.account_id and t.submitted_at = s.submitted_at"
    )


def _hold_still(arrival: Arrival) -> None:
    # A decision made from here on waits, so that what is read below is what is updated.
    arrival.run(
        f"select from {APPLICATIONS} where application_id in "
        f"(select application_id from {TABLE}) order by application_id for update"
    )


def _status(arrival: Arrival) -> str:
    told = staged_value(arrival.kind, "status")
    kept = "case when t.application_id is null then 'pending' else t.status end"
    if "status" not in arrival.names:
        return kept
    return (
        f"case when {DECIDED} then t.status "
        f"when {REOPENED} and {told} in ('approved', 'rejected') then t.status else {told} end"
    )


def _status_changed_at(arrival: Arrival) -> str:
    if "status_changed_at" in arrival.names:
        told = "s.status_changed_at"
    else:
        # When it changed is not known; the time of an older change would be wrong.
        told = f"case when t.status = {_status(arrival)} then t.status_changed_at end"
    return f"case when {DECIDED} then t.status_changed_at else {told} end"


def _outcomes(arrival: Arrival) -> tuple[list[str], str]:
    """The columns that a row sets, and the query of what it sets them to."""
    plain = [
        column.name
        for column in arrival.kind.columns
        if column.name in arrival.names
        and column.name not in ("application_id", "account_name", "status", "status_changed_at")
    ]
    if "account_id" not in plain:
        plain.append("account_id")
    values = [f"{staged_value(arrival.kind, name)} as {name}" for name in plain]
    values += [
        f"{_status(arrival)} as status",
        f"{_status_changed_at(arrival)} as status_changed_at",
    ]
    query = (
        f"select s.staged, s.application_id, t.application_id is null as is_new, "
        f"{', '.join(values)} from {TABLE} s "
        f"left join {APPLICATIONS} t on t.application_id = s.application_id"
    )
    return [*plain, "status", "status_changed_at"], query


def _refuse_second_pending(arrival: Arrival) -> None:
    _, outcomes = _outcomes(arrival)
    pending = f"(select * from ({outcomes}) o where status = 'pending')"
    arrival.name_rows(
        f"select n.staged, n.account_id::text, o.first from {pending} n join "
        f"(select account_id, min(staged) as first from {pending} p group by 1 "
        "having count(*) > 1) o using (account_id) where n.staged > o.first",
        "account_id",
        "has a pending application on {other} too; an account may have one",
    )
    arrival.name_rows(
        f"select n.staged, n.account_id::text, null::bigint from {pending} n "
        f"join {APPLICATIONS} t on t.account_id = n.account_id and t.status = 'pending' "
        f"where not exists (select from {TABLE} s where s.application_id = t.application_id)",
        "account_id",
        "has a pending application already; an account may have one",
    )
    arrival.problems.refuse_if_any()


def _tell_of_withdrawals(arrival: Arrival) -> None:
    _, outcomes = _outcomes(arrival)
    arrival.run(
        "insert into review.events (application_id, kind, actor, at, detail) "
        "select t.application_id, 'withdrawn', 'upstream', coalesce(n.status_changed_at, :now), "
        "jsonb_build_object('status', jsonb_build_object("
        "'old', coalesce(d.status, 'pending'), 'new', 'withdrawn')) "
        f"from ({outcomes}) n join {APPLICATIONS} t on t.application_id = n.application_id "
        "left join review.desk d on d.application_id = t.application_id "
        "where t.status = 'pending' and n.status = 'withdrawn'"
    )


def _update(arrival: Arrival, which: str) -> int:
    columns, outcomes = _outcomes(arrival)
    current, new = (", ".join(f"{side}.{name}" for name in columns) for side in "tn")
    return arrival.run(
        f"update {APPLICATIONS} t set ({', '.join(columns)}) = row({new}) from ({outcomes}) n "
        f"where t.application_id = n.application_id and {which} "
        f"and ({current}) is distinct from ({new})"
    )


def _insert(arrival: Arrival) -> int:
    arrival.connection.execute(
        text(
            f"select setval({SEQUENCE}, highest) from (select greatest("
            f"(select max(application_id) from {TABLE}), "
            f"(select max(application_id) from {APPLICATIONS})) as highest) ids "
            f"where highest > coalesce(pg_sequence_last_value({SEQUENCE}), 0)"
        )
    )
    columns, outcomes = _outcomes(arrival)
    listed = ", ".join(columns)
    return arrival.run(
        f"insert into {APPLICATIONS} (application_id, {listed}) "
        f"select coalesce(application_id, nextval({SEQUENCE})), {listed} "
        f"from ({outcomes}) n where is_new order by staged"
    )
