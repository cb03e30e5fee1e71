"""What every part of the measuring is given, and what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal

from program.periods import ONE_DAY, Window
from program.policy.policy import Policy
from program.risk.signals import DAYS


class Whose(StrEnum):
    """Whose risk is measured. Reviewers wait for the first part, so a refresh begins with it."""

    ALL = "all"
    WAITING = "accounts with an open application"
    OTHERS = "approved affiliates without one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """What is measured: up to T, under a policy, of these accounts or of all."""

    through: date
    window: Window
    policy: Policy
    now: datetime
    whose: Whose = Whose.ALL
    only: tuple[int, ...] | None = None

    @property
    def end(self) -> date:
        """The day after T."""
        return self.through + ONE_DAY

    @property
    def days(self) -> Window:
        """The 30 days that end with T; ``window`` is the policy's month, which may be another."""
        return self.back(0)

    def back(self, windows: int) -> Window:
        """Return the 30 days so many windows before `days`."""
        end = self.end - timedelta(days=DAYS * windows)
        return Window(end - timedelta(days=DAYS), end)

    def within(self, column: str) -> Composable:
        """Return whether the account in ``column`` is one of those to measure."""
        if self.only is None:
            return SQL("true")
        return SQL("{} = any({})").format(Identifier(column), Literal(list(self.only)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some signals that are measured together.

    ``fill`` creates the temporary table ``name`` with ``account_id``, ``columns`` and ``inputs``:
    members of a JSON object as text, for each signal that has any an object of numbers. Text, since
    joining several objects of jsonb would rewrite them again and again.
    """

    name: str
    columns: tuple[str, ...]
    fill: Callable[[Cursor[DictRow], Measuring], None]
