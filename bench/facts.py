"""The newest day of the bench database, and the time as of which it is measured."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from sqlalchemy import Engine, text

from program.periods import ONE_DAY, day_start


@cache
def newest_day(engine: Engine) -> date:
    """Return the last day with activity, the data-through day of a refresh on the next day."""
    with engine.connect() as connection:
        day: date = connection.execute(
            text("select max(activity_date) from exchange.referral_activity")
        ).scalar_one()
    return day


def moment(engine: Engine) -> datetime:
    """Return the "now" of measurements: early on the day after the newest activity."""
    return day_start(newest_day(engine) + ONE_DAY).astimezone(UTC) + timedelta(hours=6)
