"""Evidence: observations, their age, and the forms to record more."""

from datetime import timedelta
from functools import partial

import streamlit as st

from dashboard.pages.application import evidence_form
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import figures, grid, popovers, state
from dashboard.ui.safe_text import escape
from data_access.eligibility.assessments import Evidence
from data_access.review.opening import Opened
from program import wording
from program.periods import utc_day
from program.policy.criteria import EXTERNAL_VOLUME, X_FOLLOWERS
from program.policy.evidence import METHOD_LABELS, EvidenceKind, days_left, doubtful, is_current
from program.review.permissions import Act

CRITERIA = {
    EvidenceKind.X_FOLLOWERS: X_FOLLOWERS.key,
    EvidenceKind.EXTERNAL_VOLUME: EXTERNAL_VOLUME.key,
}
ROWS_SHOWN = 10
RECORDING = (
    (EvidenceKind.X_FOLLOWERS, "Record followers"),
    (EvidenceKind.EXTERNAL_VOLUME, "Record other-exchange volume"),
)


def draw(shown: Opened) -> None:
    """Draw the observations, their sums, and the forms to record more."""
    found = shown.standing.evidence
    with st.container(border=True, gap="small", key="evidence"):
        st.markdown(f"**Evidence** · {len(found):,}")
        if found:
            _draw_table(shown)
        else:
            st.caption("No external evidence is recorded yet.")
        for sentence in (_sum(shown), *_doubtful(shown), *_expired(shown)):
            if sentence:
                st.caption(sentence)
        if shown.person.may(Act.RECORD_EVIDENCE):
            with st.container(horizontal=True, gap="small"):
                for kind, label in RECORDING:
                    _draw_recording(shown, kind, label)


def unknown_because(shown: Opened) -> dict[str, str]:
    """Return why a criterion based on evidence is unknown, by key: no evidence, or expired."""
    days = _expired_days(shown)
    return {
        key: f"evidence expired {days[kind]} d ago" if kind in days else "no evidence"
        for kind, key in CRITERIA.items()
    }


def _draw_recording(shown: Opened, kind: EvidenceKind, label: str) -> None:
    popovers.draw(
        label,
        partial(evidence_form.draw, shown.id_, kind, shown.person, shown.now),
        key=state.form_key(evidence_form.name(kind, shown.id_), "popover"),
        height=400,
        before=partial(state.hold, decision_name(shown.id_)),
        icon=":material/add:",
    )


def _draw_table(shown: Opened) -> None:
    """Draw the observations, newest first; none is ever removed."""
    found = shown.standing.evidence
    ages = [(shown.now - entry.observed_at) / timedelta(days=1) for entry in found]
    grid.draw(
        {
            "what": grid.text("Seen", [_what(entry) for entry in found], width="medium"),
            "state": grid.text("State", [_state(shown, entry) for entry in found], width=84),
            "age": grid.number("Age", ages, written="%.1f d", width=60),
            "expires": grid.whole(
                "Expires in",
                [_expires(_days_left(shown, entry)) for entry in found],
                written=grid.DAYS,
                width=74,
                help="Days until it stops counting, at the data-through day. Negative: already "
                "expired.",
            ),
            "seen": grid.day("On", [utc_day(entry.observed_at) for entry in found], width=88),
            "how": grid.text("Method", [METHOD_LABELS[entry.method] for entry in found], width=96),
            "by": grid.text("By", [entry.recorded_by for entry in found]),
            "source": grid.text("Source", [entry.source_url or figures.DASH for entry in found]),
        },
        key=f"evidence-{shown.id_}",
        alt="Evidence",
        row_height=grid.LOW_ROW_HEIGHT,
        most_high=ROWS_SHOWN,
    )


def _what(entry: Evidence) -> str:
    if entry.kind is EvidenceKind.X_FOLLOWERS:
        return f"{figures.count(int(entry.value))} followers on X"
    return f"{figures.usd_cut(entry.value)} USD · {entry.exchange_name or 'another exchange'}"


def _state(shown: Opened, entry: Evidence) -> str:
    if entry.evidence_id in shown.standing.established.evidence_ids:
        return "✓ counts"
    return "superseded" if _is_current(shown, entry) else "expired"


def _expires(left: int) -> int:
    """Return in how many days it expires; the day on which it stops counting is past."""
    return left if left > 0 else left - 1


def _doubtful(shown: Opened) -> list[str]:
    """Return a sentence for names that may mean several exchanges."""
    current = [entry for entry in shown.standing.evidence if _is_current(shown, entry)]
    return [
        f":material/help: {escape(wording.listed(names))} may be one exchange, so only the newest "
        "counts. If they are different, record one of them again and answer “No, another exchange”."
        for names in doubtful(current)
    ]


def _sum(shown: Opened) -> str | None:
    """Return which exchanges' volumes add up to what."""
    counted = [
        entry
        for entry in shown.standing.evidence
        if entry.kind is EvidenceKind.EXTERNAL_VOLUME
        and entry.evidence_id in shown.standing.established.evidence_ids
    ]
    total = shown.standing.established.external_volume_usd
    if total is None or len(counted) < 2:
        return None
    parts = " + ".join(
        f"{escape(entry.exchange_name or 'another exchange')} {figures.usd_cut(entry.value)}"
        for entry in sorted(counted, key=lambda entry: -entry.value)
    )
    return f"Other exchanges add up to **{figures.usd_cut(total)} USD** in 30 days: {parts}."


def _expired(shown: Opened) -> list[str]:
    """Return a sentence for each criterion that is unknown again."""
    what = {
        EvidenceKind.X_FOLLOWERS: "Followers on X",
        EvidenceKind.EXTERNAL_VOLUME: "Volume on other exchanges",
    }
    return [
        f":material/event_busy: {what[kind]}: expired {days} d ago, "
        "so the criterion is unknown again. Record new evidence."
        for kind, days in _expired_days(shown).items()
    ]


def _expired_days(shown: Opened) -> dict[EvidenceKind, int]:
    """Return the kinds whose evidence has all expired, and for how many days."""
    counting = {entry.kind for entry in shown.standing.evidence if _is_current(shown, entry)}
    lapsed: dict[EvidenceKind, int] = {}
    for entry in shown.standing.evidence:
        left = _days_left(shown, entry)
        if entry.kind not in counting and left <= 0:
            lapsed[entry.kind] = min(1 - left, lapsed.get(entry.kind, 1 - left))
    return lapsed


def _is_current(shown: Opened, entry: Evidence) -> bool:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return is_current(entry.observed_at, data_through=through, now=shown.now, policy=policy)


def _days_left(shown: Opened, entry: Evidence) -> int:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return days_left(entry.observed_at, data_through=through, now=shown.now, policy=policy)
