"""Evidence: observations, their age, and the forms to record more."""

from datetime import timedelta

import streamlit as st

from dashboard.pages.application import evidence_form
from dashboard.ui import figures, grid, state
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
    # The request id is in the key, so that the popover is a new, closed one after use.
    key = state.form_key(evidence_form.name(kind, shown.id_), "popover")
    with st.popover(label, icon=":material/add:", key=key):
        evidence_form.draw(shown.id_, kind, shown.person, shown.now)


def _draw_table(shown: Opened) -> None:
    """Draw the observations, newest first; none is ever removed."""
    found = shown.standing.evidence
    ages = [(shown.now - seen.observed_at) / timedelta(days=1) for seen in found]
    grid.draw(
        {
            "what": grid.text("Seen", [_what(seen) for seen in found], width="medium"),
            "state": grid.text("State", [_state(shown, seen) for seen in found], width=84),
            "age": grid.number("Age", ages, written="%.1f d", width=60),
            "expires": grid.whole(
                "Expires in",
                [_expires(_days_left(shown, seen)) for seen in found],
                written=grid.DAYS,
                width=74,
                help="Days until it stops counting, at the data-through day. Negative: already "
                "expired.",
            ),
            "seen": grid.day("On", [utc_day(seen.observed_at) for seen in found], width=88),
            "how": grid.text("Method", [METHOD_LABELS[seen.method] for seen in found], width=96),
            "by": grid.text("By", [seen.recorded_by for seen in found]),
            "source": grid.text("Source", [seen.source_url or figures.DASH for seen in found]),
        },
        key=f"evidence-{shown.id_}",
        alt="Evidence",
        row_height=grid.LOW_ROW_HEIGHT,
        most_high=ROWS_SHOWN,
    )


def _what(seen: Evidence) -> str:
    if seen.kind is EvidenceKind.X_FOLLOWERS:
        return f"{figures.count(int(seen.value))} followers on X"
    return f"{figures.usd_cut(seen.value)} USD · {seen.exchange_name or 'another exchange'}"


def _state(shown: Opened, seen: Evidence) -> str:
    if seen.evidence_id in shown.standing.established.evidence_ids:
        return "✓ counts"
    return "superseded" if _is_current(shown, seen) else "expired"


def _expires(left: int) -> int:
    """Return in how many days it expires; the day on which it stops counting is past."""
    return left if left > 0 else left - 1


def _doubtful(shown: Opened) -> list[str]:
    """Return a sentence for names that may mean several exchanges."""
    current = [seen for seen in shown.standing.evidence if _is_current(shown, seen)]
    return [
        f":material/help: {escape(wording.listed(names))} may be one exchange, so only the newest "
        "counts. If they are different, record one of them again and answer “No, another exchange”."
        for names in doubtful(current)
    ]


def _sum(shown: Opened) -> str | None:
    """Return which exchanges' volumes add up to what."""
    counted = [
        seen
        for seen in shown.standing.evidence
        if seen.kind is EvidenceKind.EXTERNAL_VOLUME
        and seen.evidence_id in shown.standing.established.evidence_ids
    ]
    total = shown.standing.established.external_volume_usd
    if total is None or len(counted) < 2:
        return None
    parts = " + ".join(
        f"{escape(seen.exchange_name or 'another exchange')} {figures.usd_cut(seen.value)}"
        for seen in sorted(counted, key=lambda seen: -seen.value)
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
    counting = {seen.kind for seen in shown.standing.evidence if _is_current(shown, seen)}
    lapsed: dict[EvidenceKind, int] = {}
    for seen in shown.standing.evidence:
        left = _days_left(shown, seen)
        if seen.kind not in counting and left <= 0:
            lapsed[seen.kind] = min(1 - left, lapsed.get(seen.kind, 1 - left))
    return lapsed


def _is_current(shown: Opened, seen: Evidence) -> bool:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return is_current(seen.observed_at, data_through=through, now=shown.now, policy=policy)


def _days_left(shown: Opened, seen: Evidence) -> int:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return days_left(seen.observed_at, data_through=through, now=shown.now, policy=policy)
