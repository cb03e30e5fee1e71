"""Write the values and inputs of signals as SQL."""

from collections.abc import Mapping, Sequence
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

# Ratios of extreme sums would not fit their column; beyond this they say nothing more.
LIMIT = 1_000_000_000


def value(expression: LiteralString, **given: Composable) -> Composable:
    """Return ``expression`` rounded to six decimals, and within limits."""
    # `least` and `greatest` pass over nulls.
    return SQL(
        "case when ({0}) is not null then round(least(greatest(({0})::numeric, -{1}), {1}), 6) end"
    ).format(SQL(expression).format(**given), Literal(LIMIT))


def values(expressions: Mapping[str, LiteralString], **given: Composable) -> Composable:
    """Return the rounded columns named by the keys; ``given`` is what the expressions name."""
    return SQL(", ").join(
        SQL("{} as {}").format(value(expression, **given), Identifier(name))
        for name, expression in expressions.items()
    )


def columns(expressions: Mapping[str, LiteralString], **given: Composable) -> Composable:
    """Return the columns named by the keys, as they are."""
    return SQL(", ").join(
        SQL("{} as {}").format(SQL(expression).format(**given), Identifier(name))
        for name, expression in expressions.items()
    )


def inputs(names: Mapping[str, Sequence[str]]) -> Composable:
    """Return the inputs of these signals: for each the columns behind it.

    A column stands under its own name, or under the one before its equals sign.
    """
    members = (
        SQL("{}, json_build_object({})").format(
            Literal(f'"{signal}": '), SQL(", ").join(map(_named, listed))
        )
        for signal, listed in names.items()
    )
    return SQL("concat({})").format(SQL(", ', ', ").join(members))


def _named(listed: str) -> Composable:
    name, _, column = listed.partition("=")
    return SQL("{}, {}").format(Literal(name), Identifier(column or name))
