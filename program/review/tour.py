"""The tour for new reviewers: five steps, in the words of the screens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the tour."""

    title: str
    words: str


STEPS: tuple[Step, ...] = (
    Step(
        title="The queue",
        words="Every application that waits, the most urgent first. The numbers on the filters say "
        "how many each would leave. Claim next takes the first that nobody has, so that two people "
        "never work on the same one.",
    ),
    Step(
        title="The keys",
        words="j and k move the cursor, Enter opens the row, and Escape leads back to it. "
        "A question mark shows all keys, and what the figures of the page mean.",
    ),
    Step(
        title="The application",
        words="Who applies and how their referrals trade; what the minimums ask, with risk, "
        "checklist, evidence and notes; and what you decide, which stays in view on the right.",
    ),
    Step(
        title="The decision",
        words="Choose, give the reason, and read the message as the applicant will get it. Only "
        "then can you send it, and for ten seconds after that undo it.",
    ),
    Step(
        title="What is unknown",
        words="A gray question mark is not a failure: nobody has looked yet, or the evidence is "
        "too old. Record what you see, with its source, and the result follows.",
    ),
)
