"""Writes affiliates.md: what is said by hand in affiliates.md.in, and the tables: `make docs`."""

from pathlib import Path

from program import wording
from program.affiliates.requalification import (
    RATE_STEPS,
    REASONS,
    STANDING_MEANINGS,
    STANDING_WORDS,
    STEP_LABELS,
    TRANSITIONS,
    RateStep,
    Standing,
    Transition,
)
from program.policy.policy import Policy
from program.review.permissions import ALLOWED, Role

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "affiliates.md.in"
TARGET = HERE / "affiliates.md"


def document() -> str:
    """The whole page."""
    tables = {
        "diagram": _diagram(),
        "ways": _ways(),
        "standings": _standings(),
        "reasons": _reasons(),
        "rates": _rates(),
    }
    text = SOURCE.read_text()
    for name, table in tables.items():
        text = text.replace(f"<!-- {name} -->", table)
    return text


def _diagram() -> str:
    ways = [f"    {t.old} --> {t.new}: {t.label}" for t in TRANSITIONS]
    start = "    [*] --> active: Approved"
    return "\n".join(["```mermaid", "stateDiagram-v2", start, *ways, "```"])


def _ways() -> str:
    rows = [f"| {t.label} | {t.old} | {t.new} | {_who(t)} |" for t in TRANSITIONS]
    return "\n".join(["| step | from | to | who |", "|---|---|---|---|", *rows])


def _standings() -> str:
    rows = [f"| {s} | {STANDING_WORDS[s]} | {STANDING_MEANINGS[s]} |" for s in Standing]
    return "\n".join(["| standing | as people read it | means |", "|---|---|---|", *rows])


def _reasons() -> str:
    rows = [
        f"| {reason.label} | {', '.join(STEP_LABELS[step].lower() for step in reason.steps)} |"
        for reason in REASONS
    ]
    return "\n".join(["| reason | for |", "|---|---|", *rows])


def _rates() -> str:
    policy = Policy()
    rows = [
        f"| {_passed(step)} | at most {wording.percent(step.most or policy.max_rebate_rate)} |"
        for step in RATE_STEPS
    ]
    missed = (
        f"| missed, and it counts | the standard {wording.percent(policy.standard_rebate_rate)} |"
    )
    kept = (
        "| unknown, protected or not tested yet, or of a volume that is unknown or not whole "
        "| as granted |"
    )
    return "\n".join(["| newest month | rate |", "|---|---|", missed, *rows, kept])


def _passed(step: RateStep) -> str:
    if not step.times:
        return "passed with less"
    return f"passed with at least {step.times} times the minimum volume"


def _who(transition: Transition) -> str:
    return ", ".join(role for role in Role if role in ALLOWED[transition.act])


if __name__ == "__main__":
    TARGET.write_text(document())
