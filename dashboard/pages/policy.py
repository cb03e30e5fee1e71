"""The policy: the version in force, the drafts of the next one with what they change, history."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import address, sign_in, state
from dashboard.components import figures, policy_settings
from dashboard.components.safe_text import escape
from dashboard.forms import answers, policy_form, policy_publishing, what_if_part
from dashboard.forms.policy_form import PLACE, Written
from data_access import database, policies, policy_drafts, standings
from data_access.policies import Published
from data_access.policy_drafts import Kept, PolicyEvent
from data_access.staff import Person
from data_access.standings import Basis
from program.permissions import Act
from program.policy import Policy
from program.policy_drafts import changed, contradictions, needs_refresh
from program.policy_settings import SETTINGS_BY_NAME, Change

IN_FORCE, DRAFT, HISTORY = "force", "draft", "history"
PARTS = {IN_FORCE: "In force", DRAFT: "Next version", HISTORY: "History"}
PART = "policy-part"
# What the address may ask of this page.
QUERY_NAMES = ("part", "draft", "replay", "list", "move", "page")
NEW = "new"
EVENT_WORDS = {
    "drafted": "began a draft",
    "saved": "saved the draft",
    "discarded": "discarded the draft",
    "proposed": "proposed it",
    "confirmed": "confirmed it",
    "declined": "declined it",
    "cancelled": "took it back",
}


def main() -> None:
    """Load, then draw the part that the address names."""
    person = sign_in.require(Act.READ_POLICY)
    address.read(QUERY_NAMES)
    now = datetime.now(UTC)
    with database.reading(database.reader()) as connection:
        ground = standings.basis(connection, now=now)
        versions = policies.history(connection)
        edits = person.may(Act.EDIT_POLICY)
        drafts = policy_drafts.open_ones(connection) if edits else []
        trail = policy_drafts.trail(connection) if edits else []
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Policy", anchor=False)
        part = choose_part(person, drafts)
    if part == DRAFT:
        draw_next(versions, drafts, ground, person)
    elif part == HISTORY:
        draw_history(versions, trail, ground.policy)
    else:
        draw_in_force(versions, ground)


def choose_part(person: Person, drafts: Sequence[Kept]) -> str:
    """The part of the page, which the address keeps; drafts are for those who may edit."""
    offered = [part for part in PARTS if part != DRAFT or person.may(Act.EDIT_POLICY)]
    asked = st.query_params.get("part", IN_FORCE)
    waiting = [kept for kept in drafts if kept.proposed_at and kept.author != person.email]

    def words(part: str) -> str:
        return f"{PARTS[part]} {len(waiting)}" if part == DRAFT and waiting else PARTS[part]

    shown = asked if asked in offered else IN_FORCE
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


def draw_in_force(versions: Sequence[Published], ground: Basis) -> None:
    """Every setting that rules now, and what is about to."""
    policy = ground.policy
    published = next(one for one in versions if one.policy.version == policy.version)
    st.markdown(f"**Version {policy.version}** · {about(published)}")
    st.text(policy.note)
    for coming in (one for one in versions if one.policy.version > policy.version):
        starts = figures.moment(coming.policy.effective_from)
        st.info(
            f"Version {coming.policy.version} takes effect on {starts}.",
            icon=":material/event_upcoming:",
        )
    if ground.freshness is None:
        st.warning(
            "No metrics are counted as this version asks, so eligibility on the exchange is "
            "unknown. Run `python -m data_access refresh`.",
            icon=":material/sync_problem:",
        )
    policy_settings.draw(policy)


def about(published: Published) -> str:
    """Since when it rules, and who wrote and confirmed it; for Markdown."""
    policy = published.policy
    second = f", confirmed by {escape(published.confirmed_by)}" if published.confirmed_by else ""
    since = figures.moment(policy.effective_from)
    return f"in effect from {since} · by {escape(policy.author)}{second}"


def draw_history(
    versions: Sequence[Published], trail: Sequence[PolicyEvent], in_force: Policy
) -> None:
    """All versions, newest first, with what each changed; for managers the trail of drafts."""
    st.caption(f"{len(versions):,} version{'s' if len(versions) != 1 else ''}, newest first.")
    for published in versions:
        policy = published.policy
        with st.container(border=True, gap="xsmall", key=f"version-{policy.version}"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**Version {policy.version}**", width="content")
                if policy.version == in_force.version:
                    st.badge("in force", icon=":material/check:", color="green")
                elif policy.version > in_force.version:
                    st.badge("scheduled", icon=":material/event_upcoming:", color="blue")
                st.caption(about(published), width="content")
            st.text(policy.note)
            if published.changes:
                policy_settings.draw_changes(published.changes)
            else:
                st.caption("The first version." if policy.version == 1 else "No setting differs.")
    if trail:
        draw_trail(trail)


def draw_trail(trail: Sequence[PolicyEvent]) -> None:
    """Who did what to drafts, newest first."""
    with st.expander(f"Trail of drafts, the last {len(trail):,} entries"):
        for event in trail:
            verb = EVENT_WORDS[event.kind]
            moved = ", ".join(
                SETTINGS_BY_NAME[one["setting"]].label
                for one in event.detail.get("changes", ())
                if one["setting"] in SETTINGS_BY_NAME
            )
            reason = event.detail.get("reason")
            st.text(
                f"{figures.moment(event.at)} · {event.actor} {verb} (draft {event.draft_id})"
                + (f": {moved}" if moved else "")
                + (f": {reason}" if reason else "")
            )


def draw_next(
    versions: Sequence[Published], drafts: Sequence[Kept], ground: Basis, person: Person
) -> None:
    """One draft: one's own to write, or a colleague's to read and to publish."""
    newest = versions[0].policy
    chosen = choose_draft(drafts, person)
    answers.draw(PLACE)
    by_version = {one.policy.version: one.policy for one in versions}
    if chosen is None:
        st.caption(f"A draft of version {newest.version + 1}, begun from version {newest.version}.")
        policy_form.draw(Written(base=newest, kept=None), person)
        return
    base = by_version[chosen.draft.base_version]
    if chosen.author == person.email and chosen.proposed_at is None:
        if base.version != newest.version:
            draw_moved(chosen, newest, base, person)
        else:
            policy_form.draw(Written(base=base, kept=chosen), person)
    draw_draft(chosen, base, newest, ground, person)


def choose_draft(drafts: Sequence[Kept], person: Person) -> Kept | None:
    """The draft to show: the one the address names, a colleague's proposal, or one's own."""
    own = next((kept for kept in drafts if kept.author == person.email), None)
    others = [kept for kept in drafts if kept.author != person.email]
    if not others:
        return own
    by_name: dict[str, Kept | None] = {str(kept.draft_id): kept for kept in others}
    own_name = str(own.draft_id) if own else NEW
    names = {own_name: own, **by_name}
    proposed = next((name for name, kept in by_name.items() if kept and kept.proposed_at), own_name)
    asked = st.query_params.get("draft", proposed)
    shown = asked if asked in names else proposed

    def words(name: str) -> str:
        kept = names[name]
        if kept is None or kept.author == person.email:
            return "Mine"
        return f"{escape(kept.author)}{', proposed' if kept.proposed_at else ', draft'}"

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


def draw_moved(chosen: Kept, newest: Policy, base: Policy, person: Person) -> None:
    """A version was published since the draft was begun: what it changed, and the way on."""
    st.error(
        f"{escape(newest.author)} published version {newest.version} since this draft was begun "
        f"against version {base.version}. Your draft is kept; carry it over to go on.",
        icon=":material/error:",
    )
    with st.container(horizontal=True):
        policy_form.carry_over_button(Written(base=newest, kept=chosen), base, person)
        policy_form.discard_button(chosen, person)


def draw_draft(kept: Kept, base: Policy, newest: Policy, ground: Basis, person: Person) -> None:
    """What the draft changes, how it is published, and what it would mean."""
    moved = changed(base, kept.draft)
    left, right = st.columns(2, gap="large")
    with left:
        draw_content(kept, moved)
    with right:
        if moved:
            recounts = needs_refresh(ground.policy, kept.draft.policy)
            policy_publishing.draw_consequences(kept, needs_refresh=recounts)
        wrong = contradictions(kept.draft, base=base, now=ground.now)
        for sentence in wrong:
            st.error(escape(sentence), icon=":material/error:")
        draw_ways(kept, person, newest, sound=not wrong and base.version == newest.version)
    what_if_part.draw(kept, ground)


def draw_content(kept: Kept, moved: Sequence[Change]) -> None:
    """The changes, old and new, with their reason; and why it was declined, where it was."""
    number = f"{len(moved)} setting{'s' if len(moved) != 1 else ''}"
    st.markdown(f"**Changes {number} of version {kept.draft.base_version}**")
    with st.container(gap="xsmall"):
        policy_settings.draw_changes(moved)
    if kept.draft.note:
        st.text(kept.draft.note)
    st.caption(f"{escape(kept.author)} · saved {figures.moment(kept.saved_at)}")
    if kept.declined_because:
        st.warning(f"Declined: {escape(kept.declined_because)}", icon=":material/undo:")


def draw_ways(kept: Kept, person: Person, newest: Policy, *, sound: bool) -> None:
    """The buttons that are this person's: the author's, or the second manager's."""
    is_own, is_current = kept.author == person.email, kept.draft.base_version == newest.version
    if kept.proposed_at is None and is_own and is_current:
        with st.container(horizontal=True):
            policy_publishing.propose_button(kept, person, sound=sound)
            policy_form.discard_button(kept, person)
    elif kept.proposed_at is None and not is_own:
        st.caption("Still being written; its author proposes it.")
    elif kept.proposed_at is not None and is_own:
        since = figures.moment(kept.proposed_at)
        st.info(f"Waits for a second manager since {since}.", icon=":material/hourglass_empty:")
        policy_publishing.take_back_button(kept, person)
    elif kept.proposed_at is not None:
        if not is_current:
            st.error(
                f"Version {newest.version} was published since, so this cannot be. Decline it; "
                "its author can carry it over.",
                icon=":material/error:",
            )
        policy_publishing.draw_second(kept, person, version=newest.version + 1, sound=sound)


main()
