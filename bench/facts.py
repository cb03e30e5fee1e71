"""What the bench database holds, and the moment at which it is looked at."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from sqlalchemy import Engine, text

from program.periods import ONE_DAY, day_start


@cache
def newest_day(engine: Engine) -> date:
    """The last day with activity: the data-through day of a refresh on the day after it."""
    with engine.connect() as connection:
        day: date = connection.execute(
            text("select max(activity_date) from exchange.referral_activity")
        ).scalar_one()
    return day


def moment(engine: Engine) -> datetime:
    """The "now" that measurements work with: early on the day after the newest activity."""
    return day_start(newest_day(engine) + ONE_DAY).astimezone(UTC) + timedelta(hours=6)
