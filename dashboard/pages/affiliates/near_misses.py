"""Near misses to invite: close to the minimums or above them, and not in the program."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.pages.affiliates import frame
from dashboard.shell import browsers, export_links
from dashboard.shell.export_links import Promise
from dashboard.ui import badges, figures, grid, state, states
from data_access.affiliates import near_misses
from data_access.affiliates.near_misses import NearMiss, NearMisses
from data_access.db import database
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.people.staff import Person
from program import wording
from program.affiliates.filters import BoardFilters
from program.policy.outcomes import Outcome
from program.reports.datasets import NEAR_MISSES
from program.reports.views import View
from program.review.permissions import Act
from program.review.workflow import REASONS_BY_CODE, STATUS_WORDS, Status

INVITED = "near-misses"
OPEN = "near-misses-open"


def draw(filters: BoardFilters, person: Person) -> None:
    """Draw the near misses."""
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=datetime.now(UTC))
        found = near_misses.page(connection, context, number=filters.page)
    state.keep_rows(INVITED, [row.last_application_id or 0 for row in found.rows])
    frame.draw_head(f"Near misses {found.total:,}" if context.freshness else "Near misses")
    if context.freshness is None:
        states.empty(f"The list needs metrics computed by the policy in force. {frame.REFRESH}")
        return
    window = context.freshness.window
    states.stale(context.freshness.data_through, today=context.now.date())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Accounts that were rejected, withdrew or never applied, and that now meet a track's "
            "minimums or fall short by at most a tenth; external by current evidence · "
            f"{figures.day_range(window.start, window.last_day)} UTC · {found.over:,} over, "
            f"{found.total - found.over:,} near · permanent rejections are left out",
            width="stretch",
        )
        if found.rows:
            draw_download(person, found)
    if not found.rows:
        states.empty("No account to invite is near the minimums.")
        return
    draw_table(found, context)
    frame.draw_pages(filters.on_page(found.page), found.total)


def draw_download(person: Person, found: NearMisses) -> None:
    """Draw the download of the whole list, for people who may export."""
    if not person.may(Act.EXPORT):
        return
    view = View(dataset=NEAR_MISSES, columns=NEAR_MISSES.names)
    promise = Promise(
        email=person.email, role=person.role, query=view.to_query(), expected=found.total
    )
    browser = dict(st.context.cookies).get(browsers.MARK_COOKIE, "")
    st.link_button(
        f"Export CSV, {found.total:,} row{'' if found.total == 1 else 's'}",
        export_links.view_link(promise, NEAR_MISSES.key, browser=browser),
        icon=":material/download:",
        type="tertiary",
        help="The whole list. The link works for 15 minutes.",
    )
    st.page_link(
        "dashboard/pages/explore/page.py",
        label="Filter in Explore",
        icon=":material/table_view:",
        query_params={"dataset": NEAR_MISSES.key},
    )


def draw_table(found: NearMisses, context: JudgingContext) -> None:
    """One page of accounts as cells, which never read their text as markup."""
    rows = found.rows
    grid.draw(
        {
            "open": grid.opens(
                ["Open" if row.last_application_id else "" for row in rows],
                key=OPEN,
                on_open=partial(frame.open_clicked, INVITED, OPEN, Status.REJECTED),
            ),
            "username": grid.text("Account", [row.username for row in rows], width=120),
            "outcome": grid.badges(
                "Eligibility",
                [badges.outcome_words(row.assessment.outcome) for row in rows],
                {badges.outcome_words(one): badges.OUTCOMES[one].color for one in Outcome},
                width=92,
            ),
            "volume": grid.volumes(
                "Volume",
                [row.facts.volume_usd for row in rows],
                minimum_usd=context.policy.min_volume_usd,
                help="Referral volume in the window",
                width=120,
            ),
            "active": grid.whole("Active", [row.facts.active_users for row in rows], width=52),
            "new": grid.whole("New", [row.facts.new_users for row in rows], width=46),
            "closest": grid.text(
                "Closest",
                [closest_words(row) for row in rows],
                help="The deciding criterion: the weakest on the exchange, or the strongest "
                "external one if it is closer.",
                width=146,
            ),
            "months": grid.monthly([row.months for row in rows], width=90),
            "waits_until": grid.day(
                "May apply from",
                [row.may_apply_from for row in rows],
                help=f"The first day on which they may apply again; {figures.DASH} now.",
            ),
            "last": grid.text("Last application", [last_words(row) for row in rows], width=330),
            "country": grid.text(
                "Country", [row.country_code or figures.DASH for row in rows], width=60
            ),
            "kyc": grid.text("KYC", [row.kyc_status for row in rows], width=70),
        },
        key=f"{INVITED}-{hash((found.page, tuple(row.account_id for row in rows)))}",
        alt="Near misses",
        placeholder=figures.DASH,
    )


def closest_words(row: NearMiss) -> str:
    """The deciding criterion and how far it is from its minimum."""
    closest = row.closest
    if closest is None:
        return ""
    margin = figures.percent(closest.margin) if closest.margin is not None else ""
    return f"{wording.inline(closest.criterion.label)} {margin}"


def last_words(row: NearMiss) -> str:
    """Format how the last application ended, and when."""
    if row.last_status is None or row.last_at is None:
        return "never applied"
    when = figures.day(row.last_at.date(), year=True)
    reason = wording.inline(REASONS_BY_CODE[row.reason_code].label) if row.reason_code else ""
    outcome = f"{STATUS_WORDS[row.last_status]} {when}"
    return f"{outcome}: {reason}" if reason else outcome
