"""The list of near misses as a file, for people who may export; logged."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO

from sqlalchemy import Engine

from data_access.affiliates import near_misses
from data_access.affiliates.near_misses import NearMiss
from data_access.db import database
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.exports import log
from data_access.people import staff
from data_access.people.identities import known_by
from program.reports.csv_guard import guarded
from program.reports.export_formats import FileFormat
from program.review.permissions import Act

DATASET = "near_misses"
COLUMNS = (
    "account_id",
    "username",
    "country_code",
    "kyc_status",
    "data_through",
    "window_start",
    "window_end",
    "volume_usd",
    "active_users",
    "new_users",
    "x_followers",
    "external_volume_usd",
    "on_exchange",
    "external",
    "policy_version",
    "last_application_id",
    "last_status",
    "last_at",
    "reason_code",
    "may_apply_from",
)


@known_by("email")
def as_csv(engine: Engine, *, email: str, now: datetime) -> bytes:
    """Return all near misses as CSV with a header, in UTF-8; raises NotAllowed.

    ``may_apply_from`` is empty for those who may apply now.
    """
    with database.acting(engine) as connection:
        staff.require(connection, email, Act.SEE_AFFILIATES)
        staff.require(connection, email, Act.EXPORT)
        context = judging.read_context(connection, now=now)
        listed = near_misses.every(connection, context)
        entry = log.Entry(
            exported_by=email,
            dataset=DATASET,
            file_format=FileFormat.CSV,
            filters={},
            columns=COLUMNS,
            row_count=len(listed),
        )
        log.record(connection, entry)
    written = StringIO()
    csv.writer(written).writerows([COLUMNS, *_lines(listed, context)])
    return written.getvalue().encode()


def _lines(listed: Sequence[NearMiss], context: JudgingContext) -> Iterator[tuple[object, ...]]:
    fresh = context.freshness
    for one in listed:
        assert fresh is not None
        yield (
            one.account_id,
            guarded(one.username),
            one.country_code,
            one.kyc_status,
            fresh.data_through,
            fresh.window.start,
            fresh.window.last_day,
            one.facts.volume_usd,
            one.facts.active_users,
            one.facts.new_users,
            one.facts.x_followers,
            one.facts.external_volume_usd,
            *(track.outcome for track in one.assessment.tracks),
            context.policy.version,
            one.last_application_id,
            one.last_status,
            f"{one.last_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if one.last_at else None,
            one.reason_code,
            one.reapply_from,
        )
