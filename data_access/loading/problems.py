"""Problems of a file, by place, and the refusal that lists them."""

import sys
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from data_access.db.errors import Refusal

# Nobody would read a longer report; further problems are counted.
CAP = 100
LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem. ``line`` counts from 1, header included; in Parquet, rows from 1.

    ``reason`` completes the sentence that names the place and the value.
    """

    file: str
    reason: str
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        unit = "row" if self.file.lower().endswith(".parquet") else "line"
        place = [self.file]
        if self.line is not None:
            place.append(f"{unit} {self.line:,}")
        if self.column is not None:
            place.append(f"`{self.column}`")
        shown = f"`{visible(self.value)}` " if self.value else ""
        return f"{', '.join(place)}: {shown}{self.reason}."


class Kept(StrEnum):
    """Why a row is reported that did not stop the load."""

    CLEANED = "cleaned"
    COUNTED_ONCE = "counted once"
    FILE = "about the file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Problem):
    """A remark on a file or a row that was loaded."""

    kept: Kept


class LoadRefused(Refusal):
    """Nothing was loaded. ``problems`` says why, by place; ``more`` were only counted.

    ``way_on`` is a sentence on what to do other than correct the files.
    """

    def __init__(self, problems: tuple[Problem, ...], more: int = 0, way_on: str = "") -> None:
        self.problems, self.more, self.way_on = problems, more, way_on
        self.details = tuple(str(problem) for problem in problems)
        others = len(problems) - 1 + more
        rest = f" And {others:,} more." if others else ""
        super().__init__(f"Nothing was loaded. {problems[0]}{rest}")

    @property
    def summary(self) -> str:
        """The number of problems, for after the lines that name them."""
        more = f" and {self.more:,} more" if self.more else ""
        what = "problem" if len(self.problems) == 1 else "problems"
        way_on = f" {self.way_on}" if self.way_on else ""
        return (
            f"Nothing was loaded: {len(self.problems):,} {what}{more}; see the lines above.{way_on}"
        )


@dataclass
class Problems:
    """Collects problems up to the cap and counts the others.

    With ``keeping``, a row with a problem is set aside and all problems are named; then only
    problems of a whole file refuse it.
    """

    keeping: bool = False
    way_on: str = ""
    found: list[Problem] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    whole: list[Problem] = field(default_factory=list)
    more: int = 0

    @property
    def room(self) -> int:
        """How many more problems will be named."""
        return sys.maxsize if self.keeping else CAP - len(self.found)

    def add(self, problem: Problem) -> None:
        """Name the problem, or count it if there are enough."""
        if self.room:
            self.found.append(problem)
        else:
            self.more += 1

    def spoil(self, problem: Problem) -> None:
        """Name a problem of the file as a whole."""
        self.whole.append(problem)
        self.add(problem)

    def refuse_if_any(self) -> None:
        """Raise LoadRefused if there are problems, unless bad rows are kept aside."""
        if self.whole and self.keeping:
            raise LoadRefused(tuple(self.whole))
        if self.found and not self.keeping:
            raise LoadRefused(tuple(self.found), self.more, self.way_on)

    def __bool__(self) -> bool:
        """Whether staging has stopped because nothing will be loaded."""
        return bool(self.whole if self.keeping else self.found)


def visible(value: str) -> str:
    """Return the value for a report: without control and format characters, shortened."""
    short = value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 1] + "…"
    return "".join(
        character
        if unicodedata.category(character)[0] != "C"
        else character.encode("unicode_escape").decode()
        for character in short
    )
