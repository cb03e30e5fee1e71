"""What a draft would change: who changes sides, and what follows for the program."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from program.affiliates.requalification import Step
from program.periods import Window
from program.policy.criteria import CRITERIA
from program.policy.outcomes import Outcome
from program.policy.settings import Change
from program.risk.signals import Severity

PAGE_SIZE = 50
Move = tuple[Outcome, Outcome]
MOVES: tuple[Move, ...] = tuple(
    (before, after) for before in Outcome for after in Outcome if before is not after
)


class Population(StrEnum):
    """The group of applications over which a draft is replayed."""

    OPEN = "open"
    DECISIONS = "decisions"
    AFFILIATES = "affiliates"


POPULATION_LABELS = {
    Population.OPEN: "Open applications",
    Population.DECISIONS: "Past decisions",
    Population.AFFILIATES: "Approved affiliates",
}
POPULATION_NOTES = {
    Population.OPEN: "as they stand now, deferred ones included.",
    Population.DECISIONS: "all of them, on the figures each was based on.",
    Population.AFFILIATES: "as they stand now, one per account, by its newest current approval.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One population under both policies.

    ``moves`` counts (outcome in force, outcome under the draft). ``undetermined`` counts stored
    figures that cannot be judged under the draft; they are in no move.
    """

    population: Population
    moves: Mapping[Move, int]
    undetermined: int = 0

    @property
    def total(self) -> int:
        """Everybody, those that could not be replayed included."""
        return self.replayed + self.undetermined

    @property
    def replayed(self) -> int:
        """Those that could be replayed."""
        return sum(self.moves.values())

    @property
    def changed(self) -> int:
        """How many change sides, in either direction."""
        return sum(number for (old, new), number in self.moves.items() if old is not new)

    def number(self, move: Move) -> int:
        """Return how many make this move."""
        return self.moves.get(move, 0)

    def before(self, outcome: Outcome) -> int:
        """Return how many of the replayed have this outcome under the policy in force."""
        return sum(number for (old, _), number in self.moves.items() if old is outcome)

    def after(self, outcome: Outcome) -> int:
        """Return how many of the replayed have this outcome under the draft."""
        return sum(number for (_, new), number in self.moves.items() if new is outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Past decisions: how many are eligible, and how many go against eligibility.

    ``total`` counts the replayed ones. The pairs are (in force, draft) of these, as are
    ``recorded_overrides``, the overrides recorded at the time. Rates are fractions.
    """

    total: int
    met: tuple[int, int]
    overrides: tuple[int, int]
    recorded_overrides: int

    @property
    def met_rates(self) -> tuple[Decimal, Decimal] | None:
        """Return the met share of decisions; ``None`` if there are none."""
        if not self.total:
            return None
        return Decimal(self.met[0]) / self.total, Decimal(self.met[1]) / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebates:
    """Rebate costs under both policies. Pairs are (in force, draft), in USD a month.

    ``window`` is the days of the net fees; without metrics it is ``None``, and so is every sum.
    ``granted_usd`` is the full rebate of approved affiliates, ``standard_usd`` that of everybody
    else, among them the ``at_standard``: suspended or terminated affiliates. ``above_most`` counts
    rates above the highest rate, and ``over_usd`` is their cost above it. ``costly`` counts
    approvals that need a second person for their cost. ``leaving_usd`` is the cost above the
    draft's standard rate of affiliates who would stop being eligible; ``joining_usd`` is the most
    that open applications that would become eligible could cost, each at the draft's highest rate.
    """

    affiliates: int
    at_standard: int
    above_most: tuple[int, int]
    window: Window | None = None
    over_usd: tuple[Decimal, Decimal] | None = None
    costly: tuple[int, int] | None = None
    granted_usd: tuple[Decimal, Decimal] | None = None
    standard_usd: tuple[Decimal, Decimal] | None = None
    leaving_usd: Decimal | None = None
    joining_usd: Decimal | None = None

    @property
    def difference_usd(self) -> Decimal | None:
        """What the whole program would cost more a month under the draft; negative is less."""
        if self.granted_usd is None or self.standard_usd is None:
            return None
        (old, new), (old_standard, new_standard) = self.granted_usd, self.standard_usd
        return new + new_standard - old - old_standard


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReplay:
    """The risk of open applications and approved affiliates under both policies.

    ``levels`` counts (in force, draft) by population; ``unmeasured`` have no measures yet.
    ``signals`` that moved have how many each flags (in force, draft), dismissed ones left out.
    ``stale`` ones were measured against the minimums in force, and move only after a refresh.
    """

    levels: Mapping[Population, Mapping[tuple[Severity, Severity], int]]
    unmeasured: Mapping[Population, int]
    signals: Mapping[str, Mapping[Population, tuple[int, int]]]
    stale: tuple[str, ...] = ()

    def before(self, population: Population, level: Severity) -> int:
        """Return how many have this level under the policy in force."""
        return sum(n for (old, _), n in self._moves(population) if old is level)

    def after(self, population: Population, level: Severity) -> int:
        """Return how many have this level under the draft."""
        return sum(n for (_, new), n in self._moves(population) if new is level)

    def changed(self, population: Population) -> int:
        """Return how many have another level under the draft."""
        return sum(n for (old, new), n in self._moves(population) if old is not new)

    def total(self, population: Population) -> int:
        """Return how many were measured."""
        return sum(n for _, n in self._moves(population))

    def _moves(self, population: Population) -> Iterable[tuple[tuple[Severity, Severity], int]]:
        return self.levels.get(population, {}).items()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The whole replay. ``gaps`` says in sentences what could not be replayed, and why.

    ``overdue`` open applications and ``suggested`` steps of the requalification board are (in
    force, draft); ``None`` if the draft does not affect them, as is ``risk``.
    """

    replays: Mapping[Population, Replay]
    decided: Decided
    rebates: Rebates
    overdue: tuple[int, int] | None = None
    suggested: tuple[Mapping[Step, int], Mapping[Step, int]] | None = None
    risk: RiskReplay | None = None
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changer:
    """Somebody who changes sides. ``decision_id`` is a past decision's; names are typed text."""

    application_id: int
    decision_id: int | None
    username: str
    handle: str
    status: str
    before: Outcome
    after: Outcome
    values: Mapping[str, Decimal | None]


def unreplayed(change: Change) -> str | None:
    """Return the sentence that a changed setting is not replayed; ``None`` if it is."""
    setting = change.setting
    if not setting.unreplayed:
        return None
    return f"{setting.group}, “{setting.label}”: the replay does not show {setting.unreplayed}."


def gap(key: str, *, of: Population) -> str:
    """Return the sentence that values of criterion ``key`` cannot be replayed."""
    label = next(criterion.label for criterion in CRITERIA if criterion.key == key).lower()
    if of is Population.DECISIONS:
        return (
            f"Past decisions store {label} as counted by the policy of that time. Decisions that "
            "depend on it are not replayed if the draft counts it differently."
        )
    return (
        f"The current figures do not contain {label} as the draft counts it. Whatever depends on "
        "it is not replayed; a refresh after publishing counts it."
    )
