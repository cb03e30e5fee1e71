"""A reviewer who clears a queue by keyboard only, and the timings.

``python -m tests.browser.clearing`` prints them for a hundred applications.
"""

import re
import statistics
import time
from dataclasses import dataclass, field

from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Site
from tests.browser.screen import ARMED

COUNTRY = "ZQ"
GO = "Control+Enter"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An act on an application: its keys, and what each brings to the screen."""

    word: str
    keys: tuple[tuple[str, str], ...]
    event: str
    status: str


PLANS = {
    "approve": Plan(
        word="approved",
        keys=(
            ("a", f".st-key-hot-p {ARMED}"),
            ("p", ".st-key-hot-go button"),
            (GO, ".st-key-send"),
        ),
        event="approved",
        status="approved",
    ),
    "reject": Plan(
        word="rejected",
        keys=(("r", ".st-key-hot-1 button"), ("1", ".st-key-hot-go button"), (GO, ".st-key-send")),
        event="rejected",
        status="rejected",
    ),
    "defer": Plan(
        word="deferred",
        keys=(("d", ".st-key-hot-2 button"), ("2", ".st-key-hot-go button"), (GO, ".st-key-send")),
        event="deferred",
        status="deferred",
    ),
    "ask": Plan(
        word="asked",
        keys=(("i", ".st-key-hot-1 button"), ("1", ".st-key-hot-go button"), (GO, ".st-key-send")),
        event="information_requested",
        status="more_info_needed",
    ),
}


@dataclass
class Figures:
    """Key presses and seconds per application, by act."""

    presses: dict[str, list[int]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, plan: str, presses: int, seconds: float) -> None:
        self.presses.setdefault(plan, []).append(presses)
        self.seconds.setdefault(plan, []).append(seconds)

    def report(self) -> str:
        lines = ["| act | applications | key presses each | seconds each, median | longest |"]
        lines.append("|---|---|---|---|---|")
        for plan, presses in self.presses.items():
            took = self.seconds[plan]
            lines.append(
                f"| {plan} | {len(presses)} | {max(presses)} | {statistics.median(took):.2f} | "
                f"{max(took):.2f} |"
            )
        return "\n".join(lines)


def arrive(site: Site, **numbers: int) -> dict[int, str]:
    """Add this many applications per plan, mixed; returns each one's plan."""
    kinds = [plan for plan, number in numbers.items() for _ in range(number)]
    mixed = sorted(range(len(kinds)), key=lambda n: (n * 7919) % len(kinds))
    planned = {}
    for n in mixed:
        meets = kinds[n] == "approve"
        number = site.applicant(
            meets=meets, account={"username": f"queue_{n}", "country_code": COUNTRY}
        )
        planned[number] = kinds[n]
    return planned


def clear(page: Page, planned: dict[int, str]) -> Figures:
    """Take the first application, and act on each until none is left."""
    figures = Figures()
    expect(page.locator(".st-key-take-next button").first).to_be_visible()
    screen.settled(page)
    page.keyboard.press("u")
    here = _opened(page, None)
    for left in range(len(planned), 0, -1):
        plan = PLANS[planned[here]]
        began = time.monotonic()
        for key, brings in plan.keys:
            page.keyboard.press(key)
            expect(page.locator(_at(brings, here)).first).to_be_visible()
        page.keyboard.press(GO)
        done, here = here, _opened(page, here) if left > 1 else _back_in_the_queue(page)
        figures.add(planned[done], len(plan.keys) + 1, time.monotonic() - began)
    return figures


def _at(selector: str, id_: int) -> str:
    if selector == ".st-key-send":
        return f"{selector}-{id_} {ARMED}"
    return selector


def _opened(page: Page, before: int | None) -> int:
    """Wait for another application than ``before`` to open, and return its id."""
    page.wait_for_function(
        "before => { const id = new URLSearchParams(location.search).get('id');"
        " return id && id !== String(before)"
        # Keys do nothing until their choices are drawn.
        " && [...'arid'].every(key =>"
        " document.querySelector(`.st-key-choose-${key}-${id} button`)); }",
        arg=before,
    )
    found = re.search(r"[?&]id=(\d+)", page.url)
    assert found is not None
    return int(found[1])


def _back_in_the_queue(page: Page) -> int:
    page.wait_for_url(lambda address: "/application" not in address)
    return 0
