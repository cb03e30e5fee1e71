"""Evidence: observations, their age, and the forms to record more."""

import streamlit as st

from dashboard.pages.application import evidence_form, evidence_table
from dashboard.pages.application.context import Shown
from dashboard.ui import figures, state
from dashboard.ui.safe_text import escape
from data_access.eligibility.assessments import Evidence
from program import wording
from program.policy.criteria import EXTERNAL_VOLUME, X_FOLLOWERS
from program.policy.evidence import METHOD_LABELS, EvidenceKind, days_left, doubtful, is_current
from program.review.permissions import Act

CRITERIA = {
    EvidenceKind.X_FOLLOWERS: X_FOLLOWERS.key,
    EvidenceKind.EXTERNAL_VOLUME: EXTERNAL_VOLUME.key,
}
RECORDING = (
    (EvidenceKind.X_FOLLOWERS, "Record followers"),
    (EvidenceKind.EXTERNAL_VOLUME, "Record other-exchange volume"),
)


def draw(shown: Shown) -> None:
    """Draw the observations, their sums, and the forms to record more."""
    found = shown.standing.evidence
    with st.container(border=True, gap="small", key="evidence"):
        st.markdown(f"**Evidence** · {len(found):,}")
        if found:
            evidence_table.draw([_row(shown, seen) for seen in found], key=f"evidence-{shown.id_}")
        else:
            st.caption("No external evidence is recorded yet.")
        for sentence in (_sum(shown), *_doubtful(shown), *_expired(shown)):
            if sentence:
                st.caption(sentence)
        if shown.person.may(Act.RECORD_EVIDENCE):
            with st.container(horizontal=True, gap="small"):
                for kind, label in RECORDING:
                    _draw_recording(shown, kind, label)


def unknown_because(shown: Shown) -> dict[str, str]:
    """Return why a criterion based on evidence is unknown, by key: no evidence, or expired."""
    days = _expired_days(shown)
    return {
        key: f"evidence expired {days[kind]} d ago" if kind in days else "no evidence"
        for kind, key in CRITERIA.items()
    }


def _draw_recording(shown: Shown, kind: EvidenceKind, label: str) -> None:
    # The request id is in the key, so that the popover is a new, closed one after use.
    key = state.form_key(evidence_form.name(kind, shown.id_), "popover")
    with st.popover(label, icon=":material/add:", key=key):
        evidence_form.draw(shown.id_, kind, shown.person, shown.now)


def _row(shown: Shown, seen: Evidence) -> evidence_table.EvidenceRow:
    current = _is_current(shown, seen)
    return evidence_table.EvidenceRow(
        kind=seen.kind,
        value=seen.value,
        exchange=seen.exchange_name,
        observed_at=seen.observed_at,
        age=shown.now - seen.observed_at,
        method=METHOD_LABELS[seen.method],
        source=seen.source_url,
        recorded_by=seen.recorded_by,
        counts=seen.evidence_id in shown.standing.established.evidence_ids,
        current=current,
        expires=_expires(_days_left(shown, seen)),
    )


def _expires(left: int) -> int:
    """Return in how many days it expires; the day on which it stops counting is past."""
    return left if left > 0 else left - 1


def _doubtful(shown: Shown) -> list[str]:
    """Return a sentence for names that may mean several exchanges."""
    current = [seen for seen in shown.standing.evidence if _is_current(shown, seen)]
    return [
        f":material/help: {escape(wording.listed(names))} may be one exchange, so only the newest "
        "counts. If they are different, record one of them again and answer “No, another exchange”."
        for names in doubtful(current)
    ]


def _sum(shown: Shown) -> str | None:
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


def _expired(shown: Shown) -> list[str]:
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


def _expired_days(shown: Shown) -> dict[EvidenceKind, int]:
    """Return the kinds whose evidence has all expired, and for how many days."""
    counting = {seen.kind for seen in shown.standing.evidence if _is_current(shown, seen)}
    lapsed: dict[EvidenceKind, int] = {}
    for seen in shown.standing.evidence:
        left = _days_left(shown, seen)
        if seen.kind not in counting and left <= 0:
            lapsed[seen.kind] = min(1 - left, lapsed.get(seen.kind, 1 - left))
    return lapsed


def _is_current(shown: Shown, seen: Evidence) -> bool:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return is_current(seen.observed_at, data_through=through, now=shown.now, policy=policy)


def _days_left(shown: Shown, seen: Evidence) -> int:
    fresh, policy = shown.standing.freshness, shown.standing.policy
    through = fresh.data_through if fresh else None
    return days_left(seen.observed_at, data_through=through, now=shown.now, policy=policy)
