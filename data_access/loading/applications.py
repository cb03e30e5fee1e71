"""Merge applications: accounts must be known, one may be pending, decisions stay."""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from dataclasses import replace

from sqlalchemy import text

from data_access.loading.arrival import (
    Arrival,
    Arrived,
    Merged,
    Outcome,
    refuse_repeated,
    staged_value,
)
from data_access.loading.kinds import LARGEST_APPLICATION
from data_access.loading.staging import TABLE

APPLICATIONS = "exchange.applications"
SEQUENCE = f"pg_get_serial_sequence('{APPLICATIONS}', 'application_id')"
DECIDED = "t.status in ('approved', 'rejected')"
# A reopened application is decided here again; upstream may still withdraw it.
REOPENED = (
    "t.status = 'pending' and exists (select from review.decisions d "
    "where d.application_id = t.application_id)"
)


NOT_PLAIN = ("application_id", "account_name", "account_either", "status", "status_changed_at")
# Rows with the same account and the same content are one application sent twice.
CONTENT = ("social_platform", "social_handle", "contact_platform", "contact_handle")
PLATFORMS = ("social_platform", "contact_platform")
AS_ID = (
    "case when s.account_either ~ '^[1-9][0-9]{0,18}$' then "
    "case when s.account_either::numeric < 2 ^ 63::numeric then s.account_either::bigint end end"
)
IS_TWO = (
    "is the id of one account and the username of another; give the account in a field "
    "that holds only ids, or only usernames, and name that in the map"
)


def merge(arrival: Arrival) -> Merged:
    """Merge staged applications. Raises LoadRefused.

    A row without an id is the application of that account submitted at that time. One that was
    decided here keeps its status. Statuses stay if the file has no such column.
    """
    judge(arrival)
    rows = arrived(arrival) if arrival.problems.keeping else ()
    _report_withdrawals(arrival)
    # First those that stop being pending, to make room for new pending ones.
    updated = _update(arrival, "n.status <> 'pending'") + _update(arrival, "n.status = 'pending'")
    inserted = _insert(arrival)
    return Merged(inserted=inserted, updated=updated, rows=_with_ids(arrival, rows))


def judge(arrival: Arrival, *, hold: bool = True) -> None:
    """Refuse rows that cannot be loaded, or set them aside; changes only staged rows.

    With ``hold``, the applications concerned are locked until the transaction ends.
    """
    is_form = "account_name" in arrival.names
    if is_form:
        _find_accounts_by_name(arrival)
        _find_accounts_by_either(arrival)
        _refuse_nameless(arrival)
    _refuse_unknown_accounts(arrival)
    match_without_id(arrival)
    if is_form:
        _count_same_rows_once(arrival)
    refuse_repeated(arrival, ("application_id",), "application_id is not null")
    refuse_repeated(arrival, ("account_id", "submitted_at"), "application_id is null")
    if hold:
        _hold_still(arrival)
    if is_form:
        _count_same_pending_once(arrival)
    _refuse_second_pending(arrival)


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


def _find_accounts_by_either(arrival: Arrival) -> None:
    """Find the account of a field that holds an id or a username; never choose between two."""
    named = (
        "select s.staged, s.account_either, min(i.account_id) as by_id, "
        "min(n.account_id) as by_name, count(distinct n.account_id) as names "
        f"from {TABLE} s left join exchange.accounts i on i.account_id = {AS_ID} "
        "left join exchange.accounts n on n.username = normalize(s.account_either, nfc) "
        "where s.account_either is not null group by 1, 2"
    )
    for found, reason in (
        (
            "by_id is null and names = 0",
            "is neither the id nor the username of a known account; load the account or correct it",
        ),
        ("by_id is null and names > 1", "is several accounts' username; give the account's id"),
        (
            "by_id is not null and (names > 1 or by_name <> by_id)",
            IS_TWO,
        ),
    ):
        arrival.name_rows(
            f"select staged, account_either, null::bigint from ({named}) n where {found}",
            "account",
            reason,
        )
    arrival.run(
        f"update {TABLE} s set account_id = coalesce(n.by_id, n.by_name) from ({named}) n "
        "where n.staged = s.staged"
    )


def _refuse_nameless(arrival: Arrival) -> None:
    arrival.name_rows(
        f"select staged, null, null::bigint from {TABLE} where account_id is null "
        "and account_name is null and account_either is null",
        "account_id",
        "and the username are both empty; give one of them, for the row names no account",
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


def match_without_id(arrival: Arrival) -> None:
    """Give a row without an id that of its account's application of the same time."""
    arrival.run(
        f"update {TABLE} s set application_id = t.application_id from "
        "(select account_id, submitted_at, min(application_id) as application_id "
        f"from {APPLICATIONS} group by 1, 2) t where s.application_id is null "
        "and t.account_id = s.account_id and t.submitted_at = s.submitted_at"
    )


def _hold_still(arrival: Arrival) -> None:
    # Decisions wait from here on, so that the rows read below are the rows updated.
    arrival.run(
        f"select from {APPLICATIONS} where application_id in "
        f"(select application_id from {TABLE}) order by application_id for update"
    )


def _status(arrival: Arrival) -> str:
    status = staged_value(arrival.kind, "status")
    kept = "case when t.application_id is null then 'pending' else t.status end"
    if "status" not in arrival.names:
        return kept
    return (
        f"case when {DECIDED} then t.status "
        f"when {REOPENED} and {status} in ('approved', 'rejected') then t.status else {status} end"
    )


def _status_changed_at(arrival: Arrival) -> str:
    if "status_changed_at" in arrival.names:
        changed_at = "s.status_changed_at"
    else:
        # The time of the change is not known, and that of an older change would be wrong.
        changed_at = f"case when t.status = {_status(arrival)} then t.status_changed_at end"
    return f"case when {DECIDED} then t.status_changed_at else {changed_at} end"


def _outcomes(arrival: Arrival) -> tuple[list[str], str]:
    """Return the columns that a row sets, and the query for their values."""
    plain = [
        column.name
        for column in arrival.kind.columns
        if column.name in arrival.names and column.name not in NOT_PLAIN
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


def _count_same_rows_once(arrival: Arrival) -> None:
    """Count identical rows of an export once."""
    same = ", ".join(
        name for name in arrival.kind.by_name if name in {*arrival.names, "account_id"}
    )
    arrival.count_once(
        "select staged, account_id::text, first, true from (select staged, account_id, "
        f"min(staged) over (partition by {same}) as first from {TABLE}) s where staged > first",
        "account_id",
        "is the same row as {other}; it was counted once",
    )


def _count_same_pending_once(arrival: Arrival) -> None:
    """Count a form sent twice as one application, the earlier; with other content, as two."""
    given = [name for name in CONTENT if name in arrival.names]
    _, outcomes = _outcomes(arrival)
    content = ", ".join(("account_id", *(_compared(name) for name in given)))
    arrival.count_once(
        "select staged, account_id::text, first, true from (select *, first_value(staged) over "
        f"(partition by {content} order by is_new, submitted_at, staged) as first "
        f"from ({outcomes}) o where status = 'pending') p "
        "where is_new and application_id is null and staged <> first",
        "account_id",
        "sent the same as {other}; it was counted once",
    )
    same = "".join(
        f" and {_compared(name, 't')} is not distinct from {_compared(name, 'n')}" for name in given
    )
    arrival.count_once(
        f"select n.staged, n.account_id::text, t.application_id, false from ({outcomes}) n "
        f"join {APPLICATIONS} t on t.account_id = n.account_id and t.status = 'pending'{same} "
        "where n.is_new and n.application_id is null and n.status = 'pending' and not exists "
        f"(select from {TABLE} s where s.application_id = t.application_id)",
        "account_id",
        "sent the same as application {other}, which is pending; it was counted once",
    )


def _compared(name: str, side: str = "o") -> str:
    """Return a content column for comparison; a platform by its key."""
    return f"review.platform_key({side}.{name})" if name in PLATFORMS else f"{side}.{name}"


def _with_ids(arrival: Arrival, rows: tuple[Arrived, ...]) -> tuple[Arrived, ...]:
    """Return the rows with the ids that new applications got."""
    if not rows:
        return rows
    match_without_id(arrival)
    found = arrival.connection.execute(text(f"select staged, application_id from {TABLE}"))
    ids = {arrival.places.of(staged): application_id for staged, application_id in found}
    return tuple(
        replace(row, application_id=ids.get((row.file, row.line), row.application_id))
        for row in rows
    )


def arrived(arrival: Arrival) -> tuple[Arrived, ...]:
    """Return the outcome of each valid row, before the merge."""
    columns, outcomes = _outcomes(arrival)
    current, new = (", ".join(f"{side}.{name}" for name in columns) for side in "tn")
    found = arrival.connection.execute(
        text(
            "select n.staged, n.application_id, n.is_new, "
            f"({current}) is distinct from ({new}) as differs from ({outcomes}) n "
            f"left join {APPLICATIONS} t on t.application_id = n.application_id order by 1"
        )
    )
    rows = []
    for row in found:
        outcome = Outcome.CHANGED if row.differs else Outcome.SAME
        file, line = arrival.places.of(row.staged)
        rows.append(
            Arrived(
                file=file,
                line=line,
                outcome=Outcome.NEW if row.is_new else outcome,
                application_id=row.application_id,
            )
        )
    return tuple(rows)


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


def _report_withdrawals(arrival: Arrival) -> None:
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
            # An id beyond the bounds, written by other means, must not exhaust the sequence.
            f"(select max(application_id) from {APPLICATIONS} where application_id <= :most)"
            ") as highest) ids "
            f"where highest > coalesce(pg_sequence_last_value({SEQUENCE}), 0)"
        ),
        {"most": LARGEST_APPLICATION},
    )
    columns, outcomes = _outcomes(arrival)
    listed = ", ".join(columns)
    return arrival.run(
        f"insert into {APPLICATIONS} (application_id, {listed}) "
        f"select coalesce(application_id, nextval({SEQUENCE})), {listed} "
        f"from ({outcomes}) n where is_new order by staged"
    )
