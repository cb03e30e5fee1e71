"""Writes policy.md, whose settings follow from the table: `make docs`."""

from pathlib import Path

from program.policy import settings
from program.policy.drafts import METRICS
from program.policy.policy import Policy
from program.policy.settings import SETTINGS, Group, Setting

HERE = Path(__file__).resolve().parent
TARGET = HERE / "policy.md"
INTRODUCTION = """\
# The policy, and what another one would change

Every minimum and setting of the program is a version of the policy. A version is never changed:
another one takes its place, and every decision keeps the version it was made under, with its own
figures. Reviewers, managers and analysts read the version in force and the history on the page
**Policy**; managers write the next one.

## The next version
1. A manager fills in the draft and saves it. Nothing changes yet. Each manager has one draft of
   their own; what differs from the version it builds on is marked.
2. **Replay** says what the draft would change. It writes nothing.
3. **Propose for publishing**. A draft that contradicts itself is refused in words, when it is
   saved or here: see the limits below, and
   - a highest rate at or below the standard one, or a required item that is not on the checklist;
   - nothing changed, no reason written, a day that is past or more than 365 days away, or a day
     before that of the version it builds on.
4. **A second manager** sees the same page, replays it if they like, and publishes or declines it
   with a reason. Nobody confirms their own proposal. What is published is what was looked at: if
   the draft changed meanwhile, the button is refused.
5. It takes effect at once, or at 00:00 UTC of the day it names. Who drafted, proposed, declined
   and confirmed what stands in the trail under **History**, with old and new values.

**Which version rules** at a moment: of those in effect and not withdrawn the one that began
last, of equals the highest number (`review.policy_in_force`). So a draft builds on the version
that rules when it is to begin. What is urgent builds on the version in force, begins at once, and
rules until a scheduled version takes over, without its changes; the page says so.

**A scheduled version is withdrawn by two managers**, with a reason, before it takes effect. It
stays readable and its number is used up.

If a colleague publishes first, the draft is kept and refused by name: *carry over* brings its
changes onto the new version.

## What the queue does then
Minimums are only compared with, so the queue uses new ones at once. Where a version **counts in
another way** (marked *refresh* below), eligibility on the exchange is unknown until the next
`refresh`; the page says so before anything is published.

## What-if
The policy in force and the draft judge the same facts side by side:

| over | on which figures |
|---|---|
| all open applications | as they stand now |
| all past decisions | the values each decision kept of its own moment |
| all approved affiliates, one for each account | as they stand now |

An approved affiliate is an account with an approved application whose approval here stands; of
several the one decided last counts. What upstream approved without a decision here has no rate,
and is not among them. The suspended and the terminated cost the standard rate.

It shows how many stand where before and after, who changes side in each direction with a way to
the application, how many past decisions would go against the computed eligibility, and what
rebates would cost a month on the net fees of the window. Nobody's granted rate changes by itself:
the page says how many are above a new highest rate, and what that costs; what those have beyond
the standard rate who would leave *met*; and what open applications that would join it could cost
at most. A draft with another review time counts who would be overdue, one with another number of
misses what the requalification board would suggest by the months already tested. Each other
changed setting that is not replayed is named in a sentence.

**Never made up.** A calendar month comes from the monthly figures; volume and new users of the
last thirty days come from the daily ones; users from 1,000 USD on are counted as well. Another age
of evidence is asked of the evidence that was recorded when a decision was made. Whatever else
would have to be counted anew (another floor of an active user, distinct users over other days, new
users who traded, and what a past decision would have been made on by another count) is **not
replayed**: whoever hinges on it stands in a column of their own, and a sentence says why. Whoever
does not hinge on it is replayed.

**How long it takes** (`python -m bench`), the median of five turns with two processor cores, over
1,000,000 applications, 783,710 decisions and 290,241 approved affiliates; 24 November 2026. The aim
is 3 seconds.

| | seconds |
|---|---|
| draft with other minimums and another highest rate | 1.8 |
| draft with another age of evidence | 2.6 |
| draft that counts calendar months | 2.8 |
| the tenth page of decisions that change side | 1.1 |
| the tenth page of affiliates that change side | 0.4 |
"""


def document() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, "## Settings", "", *map(_group, Group)]).rstrip() + "\n"


def _group(group: Group) -> str:
    rows = [_row(setting) for setting in SETTINGS if setting.group is group]
    head = ["| setting | version 1 | lowest to highest | |", "|---|---|---|---|"]
    return "\n".join([f"### {group}", "", *head, *rows, ""])


def _row(setting: Setting) -> str:
    first = settings.words(setting, settings.value(Policy(), setting))
    refresh = " *Refresh.*" if METRICS & set(setting.recounts) else ""
    label = f"{setting.label} (`{setting.name}`)"
    return f"| {label} | {first} | {_limits(setting)} | {setting.explanation}{refresh} |"


def _limits(setting: Setting) -> str:
    if setting.least is None or setting.most is None:
        return ""
    both = (settings.words(setting, limit) for limit in (setting.least, setting.most))
    return " to ".join(both) + (f", or {setting.none}" if setting.optional else "")


if __name__ == "__main__":
    TARGET.write_text(document())
