"""Parse dates as a form's table shows them, by the order and time zone in the map."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Airtable's names for its formats; a pattern such as D/M/YYYY h:mma is accepted too.
NAMED_ORDERS = {"european": "DMY", "us": "MDY", "iso": "YMD", "friendly": "MDY"}
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
SHORTEST_MONTH = 3
OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-5][0-9])")
# Names that mean the computer's own zone, or nothing.
NO_ZONES = ("localtime", "Factory")
DATE = re.compile(
    r"(?P<a>\d{1,4}|[a-z]+)[\s./,-]+(?P<b>\d{1,2}|[a-z]+)[\s./,-]+(?P<c>\d{1,4})"
    r"(?:[\s,T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,6})?)?"
    r"\s*(?P<half>[ap])?\.?m?\.?)?",
    re.IGNORECASE | re.ASCII,
)
OFFSETS_AT_MOST = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a table shows its dates: the order of day, month and year, and the time zone."""

    order: str
    zone: str

    def read(self, written: str) -> datetime:
        """Parse a time and return it in UTC. Raises ValueError, whose text completes a sentence."""
        found = DATE.fullmatch(written.strip())
        if found is None:
            raise ValueError(f"is not a date as the map says, {self.example}, with a time of day")
        if found["hour"] is None:
            raise ValueError("has no time of day; let the form's table show the time as well")
        parts = dict(zip(self.order, (found["a"], found["b"], found["c"]), strict=True))
        if not parts["Y"].isdigit() or len(parts["Y"]) != 4 or not parts["D"].isdigit():
            raise ValueError(f"is not a date as the map says, {self.example}")
        try:
            # Wall-clock time; its zone follows below.
            there = datetime(  # noqa: DTZ001
                int(parts["Y"]),
                _month(parts["M"]),
                int(parts["D"]),
                _hour(int(found["hour"]), found["half"]),
                int(found["minute"]),
                int(found["second"] or 0),
            )
        except ValueError as error:
            raise ValueError(
                f"does not exist in the calendar when it is read as {self.example}"
            ) from error
        try:
            return _moment(there, zone_named(self.zone), self.zone)
        except OverflowError as error:
            raise ValueError("lies outside the calendar; write the year it is") from error

    @property
    def example(self) -> str:
        """A date in this style."""
        shown = {"D": "25", "M": "4", "Y": "2026"}
        separator = "-" if self.order == "YMD" else "/"
        return separator.join(shown[part] for part in self.order)


def style(date_format: str, zone: str) -> DateStyle:
    """Return the style for a map's words. Raises ValueError, whose text completes a sentence."""
    order = NAMED_ORDERS.get(date_format.strip().lower()) or _order(date_format)
    if zone_named(zone) is None:
        raise ValueError(
            f"names the zone {zone!r}; write one such as Europe/Istanbul, UTC or +03:00"
        )
    return DateStyle(order, zone)


@cache
def zone_named(name: str) -> tzinfo | None:
    """Return the time zone with that name or offset, or ``None``."""
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    offset = OFFSET.fullmatch(name)
    if offset:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        signed = -away if offset[1] == "-" else away
        return timezone(signed) if away <= OFFSETS_AT_MOST else None
    return ZoneInfo(name) if name in available_timezones() and name not in NO_ZONES else None


def _order(date_format: str) -> str:
    # Only the order of a pattern counts; in D/M/YYYY h:mm the first m is the month.
    letters = dict.fromkeys(re.sub(r"[^DMY]", "", date_format.upper().partition("H")[0]))
    order = "".join(letters)
    if sorted(order) != ["D", "M", "Y"]:
        names = ", ".join(name.title() for name in NAMED_ORDERS)
        raise ValueError(
            f"names the date format {date_format!r}; write {names}, or a pattern such as "
            "D/M/YYYY h:mma"
        )
    return order


def _month(written: str) -> int:
    if written.isdigit():
        return int(written)
    # English only, in full or shortened: in other languages the same letters begin other months.
    name = written.lower()
    found = [at for at, month in enumerate(MONTHS, 1) if month.startswith(name)]
    if len(name) < SHORTEST_MONTH or not found:
        raise ValueError
    return found[0]


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _moment(there: datetime, zone: tzinfo | None, name: str) -> datetime:
    earlier, later = (there.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    moment = earlier.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != there:
        raise ValueError(f"does not exist in {name}: the clock was put forward then")
    if moment != later.astimezone(UTC):
        raise ValueError(f"was twice in {name}: the clock was put back then; write it in UTC")
    return moment
