"""Exports: the rows the screens show, streamed by COPY, safe to open in a spreadsheet."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    select,
)

from data_access import queue, tables
from data_access.refusals import Invalid
from data_access.standings import (
    METRIC_TYPES,
    Basis,
    judging,
    outcome_word,
    track_truth,
    track_word,
    whole_truth,
    with_account,
)
from program.criteria import EXTERNAL, EXTERNAL_VOLUME, ON_EXCHANGE, TRACKS, X_FOLLOWERS
from program.queue import Filters
from program.workflow import Status

# A spreadsheet runs what begins with one of these, or with its full-width twin.
FORMULA_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
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
    ExportColumn(name="decided_by", description="Who decided"),
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
    application = tables.applications
    among = application.c.status.in_([str(status) for status in statuses])
    found = judging(ground)
    shown = _expressions(found.values, ground)
    whole = len(statuses) == len(Status) and not filters.narrows
    order = [application.c.application_id] if whole else queue.ordering(filters.sort, found.values)
    return (
        select(*(_guarded(BY_NAME[name], shown[name]).label(name) for name in columns))
        .select_from(_with_decision(with_account(found.source)))
        .where(
            among,
            *queue.filtered(filters, ground),
            *queue.judged(filters, found.values, ground),
        )
        .order_by(*order)
    )


class CsvStream:
    """A statement's rows as CSV with a header, in pieces of about 64 kB; memory stays flat.

    ``row_count`` is known once the last piece is out.
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
        with self._driver.cursor() as cursor:
            with cursor.copy(self._copy, self._parameters) as rows:
                for piece in rows:
                    waiting += piece
                    if len(waiting) >= CHUNK_BYTES:
                        yield bytes(waiting)
                        waiting.clear()
            self.row_count = cursor.rowcount
        yield bytes(waiting)


def record(
    connection: Connection,
    *,
    exported_by: str,
    dataset: str,
    file_format: str,
    filters: Filters,
    columns: Sequence[str],
    row_count: int,
) -> None:
    """Keep who exported what."""
    asked = {name: value for name, value in asdict(filters).items() if value}
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
    values: dict[str, ColumnElement[Any]], ground: Basis
) -> dict[str, ColumnElement[Any]]:
    application, account, decision = tables.applications, tables.accounts, tables.decisions
    fresh = ground.freshness
    empty = cast(null(), Text)
    truths = {track.key: track_truth(track, values, ground.policy) for track in TRACKS}
    return {
        **{column.name: column for column in application.c},
        **{name: account.c[name] for name in ("username", "country_code", "kyc_status")},
        "submitted_at": _utc(application.c.submitted_at),
        "assignee": empty,
        "data_through": literal(fresh.data_through) if fresh else empty,
        "window_start": literal(fresh.window.start) if fresh else empty,
        "window_end": literal(fresh.window.last_day) if fresh else empty,
        **{key: values[key] for key in METRIC_TYPES},
        X_FOLLOWERS.key: func.trim_scale(values[X_FOLLOWERS.key]),
        EXTERNAL_VOLUME.key: values[EXTERNAL_VOLUME.key],
        ON_EXCHANGE.key: outcome_word(truths[ON_EXCHANGE.key]),
        EXTERNAL.key: outcome_word(truths[EXTERNAL.key]),
        "eligibility": outcome_word(whole_truth(values, ground.policy)),
        "track": track_word(values, ground.policy),
        "risk_level": empty,
        "risk_signals": empty,
        "policy_version": literal(ground.policy.version),
        "decided_at": _utc(decision.c.decided_at),
        **{name: decision.c[name] for name in ("decided_by", "reason_code", "rebate_rate")},
    }


def _with_decision(source: FromClause) -> FromClause:
    decision = tables.decisions
    later = decision.alias("later")
    superseded = select(1).where(later.c.supersedes == decision.c.decision_id).exists()
    belongs = decision.c.application_id == tables.applications.c.application_id
    return source.outerjoin(decision, belongs & ~superseded)


def _utc(moment: ColumnElement[Any]) -> ColumnElement[str]:
    zone = func.timezone("UTC", moment)
    return func.to_char(zone, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


def _guarded(column: ExportColumn, value: ColumnElement[Any]) -> ColumnElement[Any]:
    if not column.typed:
        return value
    dangerous = func.ascii(value).in_([ord(sign) for sign in FORMULA_SIGNS])
    return case((dangerous, func.concat("'", value)), else_=value)
