"""The policy: the version in force, drafts and their what-ifs, history."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.policy import (
    calibration,
    draft_form,
    publish,
    settings_table,
    thresholds,
    what_if,
    withdraw,
)
from dashboard.pages.policy.draft_form import PLACE, Written
from dashboard.pages.policy.schedule import Schedule, not_withdrawn, scheduled
from dashboard.shell import sign_in
from dashboard.ui import address, figures, lookups, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import BaseMoved
from data_access.eligibility import judging, policies
from data_access.eligibility.judging import JudgingContext
from data_access.eligibility.policies import Published
from data_access.people.staff import Person
from data_access.policy import drafts as policy_drafts
from data_access.policy import trail
from data_access.policy import withdrawals as policy_withdrawals
from data_access.policy.drafts import Kept
from data_access.policy.trail import PolicyEvent
from data_access.policy.withdrawals import Withdrawal
from program import wording
from program.policy.drafts import changed, contradictions, needs_refresh
from program.policy.policy import Policy, ruling_at
from program.policy.settings import SETTINGS_BY_NAME, Change
from program.review.permissions import Act

IN_FORCE, DRAFT, HISTORY, CALIBRATION = "force", "draft", "history", "calibration"
PARTS = {
    IN_FORCE: "In force",
    DRAFT: "Next version",
    HISTORY: "History",
    CALIBRATION: "Risk calibration",
}
NEEDS = {DRAFT: Act.EDIT_POLICY, CALIBRATION: Act.CALIBRATE}
PART = "policy-part"
# Query parameters of this page.
QUERY_NAMES = ("part", "signal", "base", "draft", "replay", "list", "move", "page")
NEW = "new"
EVENT_WORDS = {
    "drafted": "began a draft",
    "saved": "saved the draft",
    "discarded": "discarded the draft",
    "proposed": "proposed it",
    "confirmed": "confirmed it",
    "declined": "declined it",
    "cancelled": "took it back",
    "withdrawal_proposed": "proposed to withdraw it",
    "withdrawn": "withdrew it",
    "withdrawal_declined": "left it scheduled",
}


def main() -> None:
    """Load, then draw the part in the address."""
    person = sign_in.require(Act.READ_POLICY)
    address.read(QUERY_NAMES)
    now = datetime.now(UTC)
    with database.reading(database.reader()) as connection:
        context = judging.read_context(connection, now=now)
        versions = policies.history(connection)
        edits = person.may(Act.EDIT_POLICY)
        drafts = policy_drafts.open_ones(connection) if edits else []
        events = trail.newest(connection) if edits else []
        withdrawals = policy_withdrawals.open_ones(connection) if edits else []
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Policy", anchor=False)
        part = choose_part(person, drafts)
    if part == DRAFT:
        draw_next(versions, drafts, context, person)
    elif part == HISTORY:
        draw_history(versions, events, context)
    elif part == CALIBRATION:
        signal = st.query_params.get("signal")
        calibration.draw(context.policy, person, now=now, chosen=signal)
    else:
        draw_in_force(versions, context)
        draw_scheduled(scheduled(versions, context.now), withdrawals, person)


def choose_part(person: Person, drafts: Sequence[Kept]) -> str:
    """Draw the choice of the part, kept in the address; some need a right of their own."""
    offered = [part for part in PARTS if part not in NEEDS or person.may(NEEDS[part])]
    wanted = st.query_params.get("part", IN_FORCE)
    waiting = [kept for kept in drafts if kept.proposed_at and kept.author != person.email]

    def words(part: str) -> str:
        return f"{PARTS[part]} {len(waiting)}" if part == DRAFT and waiting else PARTS[part]

    shown = wanted if wanted in offered else IN_FORCE
    state.show(PART, shown)
    st.segmented_control(
        "Part",
        offered,
        format_func=words,
        key=PART,
        label_visibility="collapsed",
        required=True,
        on_change=_show_part,
    )
    return shown


def _show_part() -> None:
    address.write({"part": state.typed(PART)})


def draw_in_force(versions: Sequence[Published], context: JudgingContext) -> None:
    """Draw every setting in force, and scheduled versions."""
    policy = context.policy
    published = next(one for one in versions if one.policy.version == policy.version)
    st.markdown(f"**Version {policy.version}** · {about(published)}")
    st.text(policy.note)
    if context.freshness is None:
        st.warning(
            "No metrics are computed under these settings, so on-exchange eligibility is "
            "unknown. Run `python -m data_access refresh`.",
            icon=":material/sync_problem:",
        )
    settings_table.draw(policy)
    thresholds.draw_table(policy)


def overtaken_by(published: Published, versions: Sequence[Published]) -> int | None:
    """The version that starts at the same moment and so keeps this one from taking effect."""
    policy = published.policy
    start = policy.effective_from
    ruling = ruling_at([policy, *(one.policy for one in not_withdrawn(versions))], start)
    same_start = ruling.effective_from == start and ruling.version > policy.version
    return ruling.version if same_start else None


def draw_scheduled(
    coming: Sequence[Published], withdrawals: Sequence[Withdrawal], person: Person
) -> None:
    """Draw scheduled versions, with their changes and the way to withdraw them."""
    # Also shown if the last scheduled version was withdrawn.
    submit.draw(PLACE)
    if not coming:
        return
    waiting = {one.version: one for one in withdrawals}
    for published in coming:
        policy = published.policy
        with st.container(border=True, gap="xsmall", key=f"scheduled-{policy.version}"):
            starts = figures.moment(policy.effective_from)
            overtaken = overtaken_by(published, coming)
            effect = (
                f"takes effect on {starts}"
                if overtaken is None
                else f"will not take effect: version {overtaken} starts at the same time, {starts},"
            )
            st.markdown(
                f":material/event_upcoming: **Version {policy.version}** {effect} "
                f"and changes {figures_of(published)} of version {published.base_version}"
            )
            st.text(policy.note)
            settings_table.draw_changes(published.changes)
            if person.may(Act.EDIT_POLICY):
                withdraw.draw(policy, waiting.get(policy.version), person)


def figures_of(published: Published) -> str:
    """Format how many settings a version changes."""
    return wording.counted(len(published.changes), "setting")


def about(published: Published, overtaken: int | None = None) -> str:
    """Format since when it is in force, and who wrote and confirmed it; for Markdown."""
    policy = published.policy
    second = (
        f", confirmed by {escape(lookups.named(published.confirmed_by))}"
        if published.confirmed_by
        else ""
    )
    since = figures.moment(policy.effective_from)
    ruled = published.withdrawn_by is None and overtaken is None
    word = "in effect" if ruled else "was to take effect"
    gone = "" if overtaken is None else f" · replaced by version {overtaken}, which starts then too"
    if published.withdrawn_by is not None and published.withdrawn_at is not None:
        at = figures.moment(published.withdrawn_at)
        gone = f" · withdrawn {at}, confirmed by {escape(lookups.named(published.withdrawn_by))}"
    return f"{word} from {since} · by {escape(lookups.named(policy.author))}{second}{gone}"


def draw_history(
    versions: Sequence[Published], events: Sequence[PolicyEvent], context: JudgingContext
) -> None:
    """Draw all versions, newest first, with their changes; for managers also the drafts' events."""
    st.caption(f"{wording.counted(len(versions), 'version')}, newest first.")
    for published in versions:
        policy = published.policy
        overtaken = overtaken_by(published, versions)
        with st.container(border=True, gap="xsmall", key=f"version-{policy.version}"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**Version {policy.version}**", width="content")
                if policy.version == context.policy.version:
                    st.badge("in force", icon=":material/check:", color="green")
                elif published.withdrawn_by is not None:
                    st.badge("withdrawn", icon=":material/event_busy:", color="gray")
                elif overtaken is not None:
                    st.badge("never in force", icon=":material/event_busy:", color="gray")
                elif policy.effective_from > context.now:
                    st.badge("scheduled", icon=":material/event_upcoming:", color="blue")
                st.caption(about(published, overtaken), width="content")
            st.text(policy.note)
            if published.changes:
                settings_table.draw_changes(published.changes)
            else:
                st.caption("The first version." if policy.version == 1 else "No setting differs.")
    if events:
        draw_trail(events)


def draw_trail(events: Sequence[PolicyEvent]) -> None:
    """Draw the events of drafts, newest first."""
    with st.expander(f"History of drafts, the last {len(events):,} entries"):
        for event in events:
            verb = EVENT_WORDS[event.kind]
            moved = ", ".join(
                SETTINGS_BY_NAME[one["setting"]].label
                for one in event.detail.get("changes", ())
                if one["setting"] in SETTINGS_BY_NAME
            )
            reason = event.detail.get("reason")
            who = lookups.named(event.actor)
            st.text(
                f"{figures.moment(event.at)} · {who} {verb} ({of_what(event)})"
                + (f": {moved}" if moved else "")
                + (f": {reason}" if reason else "")
            )


def of_what(event: PolicyEvent) -> str:
    """Format the subject of an event."""
    if event.draft_id is not None:
        return f"draft {event.draft_id}"
    return f"version {event.detail.get('version')}"


def draw_next(
    versions: Sequence[Published], drafts: Sequence[Kept], context: JudgingContext, person: Person
) -> None:
    """Draw one draft: the person's own to edit, or a colleague's to review and publish."""
    schedule = Schedule.of(versions, context)
    chosen = choose_draft(drafts, person)
    submit.draw(PLACE)
    if chosen is None:
        base = choose_base(schedule)
        st.caption(f"A draft of version {schedule.next_number}, based on version {base.version}.")
        draft_form.draw(Written(base=base, kept=None), person)
        return
    base = schedule.version(chosen.draft.base_version)
    if chosen.author == person.email and chosen.proposed_at is None:
        if not schedule.is_current(chosen):
            draw_moved(chosen, schedule.base_of(chosen), base, person)
        else:
            draft_form.draw(Written(base=base, kept=chosen), person)
    draw_draft(chosen, base, schedule, context, person)


def choose_base(schedule: Schedule) -> Policy:
    """Draw the choice of a new draft's base: the scheduled version, or the one in force."""
    bases = {str(policy.version): policy for policy in schedule.open_bases}
    last = str(schedule.open_bases[-1].version)
    if len(bases) == 1:
        return bases[last]
    wanted = st.query_params.get("base", last)
    shown = wanted if wanted in bases else last

    def words(name: str) -> str:
        policy = bases[name]
        if policy.effective_from <= schedule.now:
            return f"version {name}, in force: for urgent changes"
        return f"version {name}, from {figures.day(policy.effective_from.date(), year=True)}"

    st.segmented_control(
        "Build on",
        list(bases),
        default=shown,
        format_func=words,
        key=f"policy-base-{'-'.join(bases)}",
        required=True,
        on_change=_show_base,
        args=[f"policy-base-{'-'.join(bases)}"],
    )
    return bases[shown]


def _show_base(key: str) -> None:
    st.query_params.from_dict({"part": DRAFT, "base": state.typed(key)})


def choose_draft(drafts: Sequence[Kept], person: Person) -> Kept | None:
    """Return the draft in the address, a colleague's proposal, or the person's own draft."""
    own = next((kept for kept in drafts if kept.author == person.email), None)
    others = [kept for kept in drafts if kept.author != person.email]
    if not others:
        return own
    by_name: dict[str, Kept | None] = {str(kept.draft_id): kept for kept in others}
    own_name = str(own.draft_id) if own else NEW
    names = {own_name: own, **by_name}
    proposed = next((name for name, kept in by_name.items() if kept and kept.proposed_at), own_name)
    wanted = st.query_params.get("draft", proposed)
    shown = wanted if wanted in names else proposed

    def words(name: str) -> str:
        kept = names[name]
        if kept is None or kept.author == person.email:
            return "Mine"
        return (
            f"{escape(lookups.named(kept.author))}{', proposed' if kept.proposed_at else ', draft'}"
        )

    key = f"policy-draft-{'-'.join(names)}"
    state.show(key, shown)
    st.segmented_control(
        "Draft",
        list(names),
        format_func=words,
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=_show_draft,
        args=[key],
    )
    return names[shown]


def _show_draft(key: str) -> None:
    address.write({"part": DRAFT, "draft": state.typed(key)})


def draw_moved(chosen: Kept, ruling: Policy, base: Policy, person: Person) -> None:
    """Show that another version is in force when the draft starts, and the way on."""
    moved = escape(BaseMoved(base.version, ruling, by=lookups.named(ruling.author)).moved)
    st.error(f"{moved} Your draft is kept; move your changes to continue.", icon=":material/error:")
    with st.container(horizontal=True):
        draft_form.carry_over_button(Written(base=ruling, kept=chosen), base, person)
        draft_form.discard_button(chosen, person)


def draw_draft(
    kept: Kept, base: Policy, schedule: Schedule, context: JudgingContext, person: Person
) -> None:
    """Draw what the draft changes, how to publish it, and the what-if."""
    moved = changed(base, kept.draft)
    left, right = st.columns(2, gap="large")
    with left:
        draw_content(kept, moved)
    with right:
        if moved:
            recounts = needs_refresh(context.policy, kept.draft.policy)
            publish.draw_consequences(kept, needs_refresh=recounts)
        draw_until(kept, schedule)
        wrong = contradictions(kept.draft, base=base, now=context.now)
        for sentence in wrong:
            st.error(escape(sentence), icon=":material/error:")
        draw_ways(kept, person, schedule, sound=not wrong)
    what_if.draw(kept, context)


def draw_until(kept: Kept, schedule: Schedule) -> None:
    """Say when a scheduled version replaces this one, without its changes."""
    starts = kept.draft.effective_from or schedule.now
    after = next((one for one in schedule.open_bases if one.effective_from > starts), None)
    if after is not None and kept.draft.base_version != after.version:
        day = figures.moment(after.effective_from)
        st.warning(
            f"It is in force until {day}, when version {after.version} takes over without these "
            "changes. Withdraw that version, or make the changes in a later version too.",
            icon=":material/event_upcoming:",
        )


def draw_content(kept: Kept, moved: Sequence[Change]) -> None:
    """Draw the changes, old and new, with their reason; and why it was declined, if it was."""
    number = f"{len(moved)} setting{'s' if len(moved) != 1 else ''}"
    st.markdown(f"**Changes {number} of version {kept.draft.base_version}**")
    with st.container(gap="xsmall"):
        settings_table.draw_changes(moved)
    if kept.draft.note:
        st.text(kept.draft.note)
    st.caption(f"{escape(lookups.named(kept.author))} · saved {figures.moment(kept.saved_at)}")
    if kept.declined_because:
        st.warning(f"Declined: {escape(kept.declined_because)}", icon=":material/undo:")


def draw_ways(kept: Kept, person: Person, schedule: Schedule, *, sound: bool) -> None:
    """Draw this person's buttons: the author's, or the second manager's."""
    is_own, ruling = kept.author == person.email, schedule.base_of(kept)
    is_current, written_on = schedule.is_current(kept), kept.draft.base_version
    ready = sound and ruling.version == written_on
    if kept.proposed_at is None and is_own and is_current:
        with st.container(horizontal=True):
            publish.propose_button(kept, person, sound=ready)
            draft_form.discard_button(kept, person)
            for other in schedule.open_bases:
                if other.version != written_on:
                    base = schedule.version(written_on)
                    draft_form.carry_over_button(Written(base=other, kept=kept), base, person)
    elif kept.proposed_at is None and not is_own:
        st.caption("Not proposed yet. Its author can propose it.")
    elif kept.proposed_at is not None and is_own:
        since = figures.moment(kept.proposed_at)
        st.info(f"Waiting for a second manager since {since}.", icon=":material/hourglass_empty:")
        publish.take_back_button(kept, person)
    elif kept.proposed_at is not None:
        if not is_current:
            st.error(
                f"Version {ruling.version} is in force when this draft would take effect, so it "
                "cannot be published. Decline it; its author can move the changes.",
                icon=":material/error:",
            )
        publish.draw_second(kept, person, version=schedule.next_number, sound=ready)


main()
