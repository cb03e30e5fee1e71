"""The kinds of facts that can be loaded, their columns, and the rule of each column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from data_access.loading.problems import LoadRefused, Problem


class Form(StrEnum):
    """The format of a column's values."""

    WHOLE = "whole number"
    MONEY = "amount"
    DAY = "day"
    MOMENT = "moment"
    TEXT = "text"
    WORD = "word"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """The rule of one column.

    A column that is not ``required`` may be missing or empty; empty means ``default``. ``minimum``
    and ``maximum`` bound whole numbers; ``digits`` and ``decimals`` are the maximum before and
    after the point.
    """

    name: str
    form: Form
    sql_type: str
    required: bool = True
    default: str | None = None
    minimum: int = 0
    maximum: int = 0
    digits: int = 0
    decimals: int = 0
    signed: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKind:
    """A kind of fact: its table, its key, and its columns.

    ``day`` is the SQL of the UTC day whose figures a row of ``{side}`` affects, if any.
    """

    name: str
    table: str
    key: tuple[str, ...]
    columns: tuple[ColumnRule, ...]
    day: str = "null::date"
    by_name: Mapping[str, ColumnRule] = field(init=False)

    def __post_init__(self) -> None:
        named = MappingProxyType({column.name: column for column in self.columns})
        object.__setattr__(self, "by_name", named)


LARGEST_BIGINT = 2**63 - 1
LARGEST_INTEGER = 2**31 - 1
# Applications continue from the highest id, so room is left above it; up to here every JSON reader
# keeps integers exact.
LARGEST_APPLICATION = 2**53 - 1


def identifier(name: str, *, required: bool = True, maximum: int = LARGEST_BIGINT) -> ColumnRule:
    """Return the column of an upstream id: a bigint from 1."""
    return ColumnRule(
        name=name,
        form=Form.WHOLE,
        sql_type="bigint",
        required=required,
        minimum=1,
        maximum=maximum,
    )


def _text(name: str, *, required: bool = False, default: str | None = None) -> ColumnRule:
    return ColumnRule(
        name=name, form=Form.TEXT, sql_type="text", required=required, default=default
    )


def _word(name: str, default: str, *words: str) -> ColumnRule:
    return ColumnRule(
        name=name, form=Form.WORD, sql_type="text", required=False, default=default, words=words
    )


def _moment(name: str, *, required: bool = True) -> ColumnRule:
    return ColumnRule(name=name, form=Form.MOMENT, sql_type="timestamptz", required=required)


KINDS: Mapping[str, FactKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            FactKind(
                name="accounts",
                table="exchange.accounts",
                key=("account_id",),
                columns=(
                    identifier("account_id"),
                    _text("username", required=True),
                    _text("email"),
                    ColumnRule(
                        name="country_code", form=Form.COUNTRY, sql_type="char(2)", required=False
                    ),
                    _word("kyc_status", "none", "none", "pending", "verified", "rejected"),
                    _moment("created_at"),
                ),
            ),
            FactKind(
                name="applications",
                table="exchange.applications",
                key=("application_id",),
                columns=(
                    identifier("application_id", required=False, maximum=LARGEST_APPLICATION),
                    identifier("account_id"),
                    _text("social_platform", default="x"),
                    _text("social_handle", required=True),
                    _text("contact_platform"),
                    _text("contact_handle"),
                    _moment("submitted_at"),
                    _word("status", "pending", "pending", "approved", "rejected", "withdrawn"),
                    _moment("status_changed_at", required=False),
                ),
            ),
            FactKind(
                name="referrals",
                table="exchange.referrals",
                key=("affiliate_account_id", "referred_account_id"),
                day="({side}.referred_at at time zone 'UTC')::date",
                columns=(
                    identifier("affiliate_account_id"),
                    identifier("referred_account_id"),
                    _moment("referred_at"),
                ),
            ),
            FactKind(
                name="activity",
                table="exchange.referral_activity",
                key=("affiliate_account_id", "activity_date", "referred_account_id"),
                day="{side}.activity_date",
                columns=(
                    identifier("affiliate_account_id"),
                    identifier("referred_account_id"),
                    ColumnRule(name="activity_date", form=Form.DAY, sql_type="date"),
                    ColumnRule(
                        name="volume_usd",
                        form=Form.MONEY,
                        sql_type="numeric(20, 2)",
                        digits=18,
                        decimals=2,
                    ),
                    ColumnRule(
                        name="fees_usd",
                        form=Form.MONEY,
                        sql_type="numeric(20, 6)",
                        digits=14,
                        decimals=6,
                        signed=True,
                    ),
                    ColumnRule(
                        name="trade_count",
                        form=Form.WHOLE,
                        sql_type="integer",
                        maximum=LARGEST_INTEGER,
                    ),
                ),
            ),
        )
    }
)


def header_problems(
    file: str, names: list[str], kind: FactKind, line: int | None = None
) -> list[Problem]:
    """Return problems with the column names on ``line`` of a file; column order is free."""
    known = ", ".join(kind.by_name)
    nameless = ", ".join(str(at) for at, name in enumerate(names, 1) if not name.strip())
    reasons: list[tuple[str | None, str]] = [
        (None, f"leaves column {at} without a name; name it, or remove the column")
        for at in [nameless]
        if at
    ]
    named = [name for name in names if name.strip()]
    reasons += [
        (name, f"is not a column of {kind.name}; the columns are {known}")
        for name in dict.fromkeys(named)
        if name not in kind.by_name
    ]
    reasons += [
        (name, f"is there {names.count(name)} times; keep one")
        for name in dict.fromkeys(named)
        if named.count(name) > 1
    ]
    reasons += [
        (column.name, "is missing; add the column")
        for column in kind.columns
        if column.required and column.name not in names
    ]
    return [Problem(file=file, line=line, column=name, reason=reason) for name, reason in reasons]


def kind_named(name: str) -> FactKind:
    """Return the kind with that name; raises LoadRefused for any other."""
    if name not in KINDS:
        reason = f"is not a kind of file; the kinds are {', '.join(KINDS)}"
        raise LoadRefused((Problem(file=name, reason=reason),))
    return KINDS[name]
