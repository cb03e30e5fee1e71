"""Exports: the rows the screens show, streamed by COPY, safe to open in a spreadsheet."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data_access import queue, tables
from data_access.applications import held_by, standing_at, with_desk
from data_access.refusals import Invalid
from data_access.standings import (
    Basis,
    judging,
    outcome_word,
    track_truth,
    track_word,
    with_account,
)
from program.criteria import TRACKS, X_FOLLOWERS
from program.queue import Filters
from program.spreadsheets import FORMULA_SIGNS
from program.workflow import OPEN_STATUSES, Status

DECISION_COLUMNS = ("decided_at", "decided_by", "reason_code", "rebate_rate")
CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportColumn:
    """A column of the applications export. ``typed`` text is guarded against formulas."""

    name: str
    description: str
    typed: bool = False


APPLICATION_COLUMNS: tuple[ExportColumn, ...] = (
    ExportColumn(name="application_id", description="The application"),
    ExportColumn(name="account_id", description="The applicant's account"),
    ExportColumn(name="username", description="The account's public name", typed=True),
    ExportColumn(name="country_code", description="ISO 3166 country, empty if unknown"),
    ExportColumn(name="kyc_status", description="Identity verification"),
    ExportColumn(name="social_platform", description="Where the social account is", typed=True),
    ExportColumn(name="social_handle", description="Social account as typed", typed=True),
    ExportColumn(name="contact_platform", description="How to reach the applicant", typed=True),
    ExportColumn(name="contact_handle", description="Contact as typed", typed=True),
    ExportColumn(name="submitted_at", description="When it arrived, UTC"),
    ExportColumn(name="status", description="pending, approved, rejected or withdrawn"),
    ExportColumn(name="assignee", description="Who works on it"),
    ExportColumn(name="data_through", description="Last complete UTC day of the metrics"),
    ExportColumn(name="window_start", description="First day of the window"),
    ExportColumn(name="window_end", description="Last day of the window, included"),
    ExportColumn(name="volume_usd", description="Referral volume in the window, USD"),
    ExportColumn(name="active_users", description="Active referred users in the window"),
    ExportColumn(name="new_users", description="Users referred in the window"),
    ExportColumn(name="x_followers", description="Followers on X, current evidence"),
    ExportColumn(name="external_volume_usd", description="Volume elsewhere, current evidence"),
    ExportColumn(name="on_exchange", description="met, not_met or unknown"),
    ExportColumn(name="external", description="met, not_met or unknown"),
    ExportColumn(name="eligibility", description="met, not_met or unknown"),
    ExportColumn(name="track", description="on_exchange, external, both or empty"),
    ExportColumn(name="risk_level", description="Not computed yet"),
    ExportColumn(name="risk_signals", description="Not computed yet"),
    ExportColumn(name="policy_version", description="The policy that judged"),
    ExportColumn(name="decided_at", description="When it was decided, UTC"),
    ExportColumn(name="decided_by", description="Who decided", typed=True),
    ExportColumn(name="reason_code", description="Why it was rejected"),
    ExportColumn(name="rebate_rate", description="Granted share of net fees, a fraction"),
)
BY_NAME = {column.name: column for column in APPLICATION_COLUMNS}


def applications(
    filters: Filters,
    ground: Basis,
    *,
    statuses: Sequence[Status] = tuple(Status),
    columns: Sequence[str] = tuple(BY_NAME),
) -> Select[Any]:
    """The applications export as a statement: all rows the filters leave, in their order.

    Over every status and without a filter the order is by application id. Raises Invalid
    for a column that does not exist.
    """
    _require_known(columns)
    raw = _raw(filters, ground, statuses)
    shown = _expressions(raw.columns, ground)
    return select(*(shown[name].label(name) for name in columns)).order_by(
        *(raw.columns[f"order_{index}"] for index in range(raw.orders))
    )


@dataclass(frozen=True, slots=True)
class _Raw:
    """The rows before they are put into words, each track judged once a row."""

    columns: ReadOnlyColumnCollection[str, Any]
    orders: int


def _raw(filters: Filters, ground: Basis, statuses: Sequence[Status]) -> _Raw:
    application, account, decision = tables.applications, tables.accounts, tables.decisions
    found = judging(ground)
    stored = (
        *application.c,
        *(account.c[name] for name in ("username", "country_code", "kyc_status")),
        *(decision.c[name] for name in DECISION_COLUMNS),
    )
    whole = len(statuses) == len(Status) and not filters.narrows
    order = queue.ordering(filters, found.values, ground)
    if whole:
        order = [application.c.application_id]
    # Descending orders and their place for unknowns are kept by numbering, not by repeating.
    ranked = order if whole else [func.row_number().over(order_by=order)]
    statement = (
        select(
            *(_written(column) for column in stored),
            *(value.label(key) for key, value in found.values.items()),
            held_by(ground.now).label("assignee"),
            *(track_truth(t, found.values, ground.policy).label(t.key) for t in TRACKS),
            *(column.label(f"order_{index}") for index, column in enumerate(ranked)),
        )
        .select_from(_with_decision(with_desk(with_account(found.source))))
        .where(
            *([] if whole else [_standing(statuses, ground)]),
            *queue.filtered(filters, ground, pending_only=set(statuses) <= set(OPEN_STATUSES)),
            *queue.judged(filters, found.values, ground),
        )
        .order_by(*ranked)
    )
    # OFFSET 0 keeps the planner from judging again wherever a judgment is mentioned.
    return _Raw(statement.offset(0).subquery("raw").c, len(ranked))


def _standing(statuses: Sequence[Status], ground: Basis) -> ColumnElement[bool]:
    return or_(*(and_(*standing_at(status, ground.now)) for status in statuses))


class CsvStream:
    """A statement's rows as CSV with a header, in pieces of about 64 kB; memory stays flat.

    ``row_count`` says how many rows have come so far.
    """

    def __init__(self, connection: Connection, statement: Select[Any]) -> None:
        compiled = statement.compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        self._copy = f"copy ({compiled}) to stdout with (format csv, header)"
        self._parameters = compiled.params
        self._driver = connection.connection.driver_connection
        self.row_count = 0

    def __iter__(self) -> Iterator[bytes]:
        """Run the statement and give its pieces."""
        assert self._driver is not None
        waiting = bytearray()
        with (
            self._driver.cursor() as cursor,
            cursor.copy(self._copy, self._parameters) as rows,
        ):
            for number, piece in enumerate(rows):
                # Postgres sends a row a piece, the header first.
                self.row_count = number
                waiting += piece
                if len(waiting) >= CHUNK_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        yield bytes(waiting)


def record(
    connection: Connection,
    *,
    exported_by: str,
    dataset: str,
    file_format: str,
    filters: Filters,
    statuses: Sequence[Status],
    columns: Sequence[str],
    row_count: int,
) -> None:
    """Keep who exported what."""
    told_elsewhere = ("status", "viewer", "slice")
    asked = {n: value for n, value in asdict(filters).items() if value and n not in told_elsewhere}
    asked |= filters.slice.to_query()
    asked["statuses"] = [str(status) for status in statuses]
    connection.execute(
        insert(tables.exports).values(
            exported_by=exported_by,
            dataset=dataset,
            format=file_format,
            filters=asked,
            columns=list(columns),
            row_count=row_count,
        )
    )


def _require_known(columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in BY_NAME]
    if unknown:
        raise Invalid(
            f"There is no column {', '.join(unknown)}. The columns are: {', '.join(BY_NAME)}."
        )
    if not columns:
        raise Invalid("Name at least one column.")


def _expressions(
    raw: ReadOnlyColumnCollection[str, Any], ground: Basis
) -> dict[str, ColumnElement[Any]]:
    fresh = ground.freshness
    empty = cast(null(), Text)
    judged = {track.key: raw[track.key] for track in TRACKS}
    return {
        **{name: raw[name] for name in BY_NAME if name in raw},
        "data_through": literal(fresh.data_through) if fresh else empty,
        "window_start": literal(fresh.window.start) if fresh else empty,
        "window_end": literal(fresh.window.last_day) if fresh else empty,
        X_FOLLOWERS.key: func.trim_scale(raw[X_FOLLOWERS.key]),
        **{key: outcome_word(truth) for key, truth in judged.items()},
        "eligibility": outcome_word(or_(*judged.values())),
        "track": track_word(judged),
        "risk_level": empty,
        "risk_signals": empty,
        "policy_version": literal(ground.policy.version),
    }


def _with_decision(source: FromClause) -> FromClause:
    decision = tables.decisions
    later = decision.alias("later")
    superseded = select(1).where(later.c.supersedes == decision.c.decision_id).exists()
    belongs = decision.c.application_id == tables.applications.c.application_id
    return source.outerjoin(decision, belongs & ~superseded)


def _utc(moment: ColumnElement[Any]) -> ColumnElement[str]:
    # By hand, since to_char takes five times as long: 2026-03-01 10:00:00 becomes ...T10:00:00Z.
    plain = cast(func.timezone("UTC", moment), Text)
    return func.replace(plain, " ", "T").concat("Z")


def _written(column: Column[Any]) -> ColumnElement[Any]:
    """A stored value as the file has it; done where several workers can share the work."""
    name = str(column.name)
    if name in ("submitted_at", "decided_at"):
        return _utc(column).label(name)
    if name not in BY_NAME or not BY_NAME[name].typed:
        return column
    dangerous = func.ascii(column).in_([ord(sign) for sign in FORMULA_SIGNS])
    return case((dangerous, func.concat("'", column)), else_=column).label(name)
