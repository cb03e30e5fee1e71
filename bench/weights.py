"""What a first visit to each page takes: requests, bytes over the wire, elements, and layout shift.

Each page is opened by its address in a new private window, by somebody who is signed in. What the
page fetches for later, once it is at rest, is not counted. None of this depends on the machine's
speed but the layout shift, and that only a little.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, StorageState

from bench import browser, pages, quick
from tests.browser import screen
from tests.browser.serving import served

FILE = Path(__file__).resolve().parent.parent / "docs" / "first-visits.json"
# By the path and query of a page. `{id}` is a pending application.
PAGES = {
    "queue": "/",
    "application": "/application?id={id}",
    "program": "/program",
    "affiliates": "/affiliates",
    "explore": "/explore",
    "outbox": "/outbox",
    "policy": "/policy",
    "settings": "/settings",
    "staff": "/staff",
    "import": "/import",
}
QUIET_MS = 1000
SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});"""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """``kilobytes`` are over the wire; ``shift`` is the sum of all layout shifts."""

    requests: int
    kilobytes: int
    elements: int
    shift: float


# Requests and bytes follow from the packages; those with charts load their library.
HEAVIEST = Weight(requests=155, kilobytes=3_200, elements=2_300, shift=0.1)
MOST = {
    **dict.fromkeys(PAGES, HEAVIEST),
    "queue": replace(HEAVIEST, kilobytes=1_600, elements=1_450),
}


def measure(context: BrowserContext, address: str) -> Weight:
    """Open the address in a window that has seen nothing, until it is at rest."""
    page = context.new_page()
    page.add_init_script(SHIFTS)
    sizes = _sizes(context, page)
    page.goto(address)
    page.locator(".st-key-header").wait_for()
    screen.settled(page)
    page.wait_for_timeout(QUIET_MS)
    return Weight(
        requests=len(sizes),
        kilobytes=round(sum(sizes.values()) / 1000),
        elements=page.evaluate("document.querySelectorAll('*').length"),
        shift=round(page.evaluate("window.shifted"), 3),
    )


def _sizes(context: BrowserContext, page: Page) -> dict[str, float]:
    """Return the bytes of each response, filled in as they come."""
    sizes: dict[str, float] = {}
    session = context.new_cdp_session(page)
    session.send("Network.enable")

    def begun(event: dict[str, Any]) -> None:
        # Pictures within the page are no requests.
        if event["type"] != "Prefetch" and not event["response"]["url"].startswith("data:"):
            sizes[event["requestId"]] = 0

    def ended(event: dict[str, Any]) -> None:
        if event["requestId"] in sizes:
            sizes[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.responseReceived", begun)
    session.on("Network.loadingFinished", ended)
    return sizes


def over(found: Mapping[str, Weight]) -> list[str]:
    """Return a sentence for everything that exceeds its limit."""
    return [
        f"{name}: {value:,} {part}, of at most {most:,}"
        for name, weight in found.items()
        for part, most in asdict(MOST[name]).items()
        if (value := asdict(weight)[part]) > most
    ]


def report() -> list[str]:
    """Measure every page over the small data and keep the figures; returns what exceeds a limit."""
    engine = quick.prepared(quick.CLUSTER)
    try:
        with served(quick.CLUSTER.home) as address, browser.windows() as window:
            known = pages.applicant(engine)
            first = window()
            first.goto(address)
            first.locator(f"a.person[title='{pages.MANAGER}']").click()
            screen.settled(first)
            state = first.context.storage_state()
            found = dict(_each_page(first, state, address, known))
    finally:
        engine.dispose()
        quick.CLUSTER.stop()
    kept = {name: asdict(weight) for name, weight in found.items()}
    FILE.write_text(json.dumps(kept, indent=1) + "\n")
    return over(found)


def _each_page(
    first: Page, state: StorageState, address: str, known: Mapping[str, str]
) -> Iterator[tuple[str, Weight]]:
    opened_by = first.context.browser
    assert opened_by is not None
    for name, path in PAGES.items():
        size = {"width": 1440, "height": 900}
        with opened_by.new_context(viewport=size, storage_state=state) as context:  # type: ignore[arg-type]
            weight = measure(context, address + path.format(**known))
        print(row(name, weight), flush=True)
        yield name, weight


def row(name: str, weight: Weight) -> str:
    most = MOST[name]
    limits = f"{most.requests} · {most.kilobytes:,} kB · {most.elements:,} · {most.shift:g}"
    return (
        f"| {name} | {weight.requests} | {weight.kilobytes:,} | {weight.elements:,} | "
        f"{weight.shift:.3f} | {limits} |"
    )


def table() -> str:
    """Return the measured pages as a Markdown table."""
    head = "| page | requests | kB | elements | layout shift | at most |\n|:--|--:|--:|--:|--:|:--|"
    kept = json.loads(FILE.read_text())
    return "\n".join(["", head, *(row(name, Weight(**weight)) for name, weight in kept.items())])


def section() -> str:
    """Return the part of the report on first visits."""
    return f"""\
## First visits

What a first visit to each page takes, by somebody who is signed in and comes by the page's address in
a browser that has seen nothing: requests, kB over the wire, elements of the page, and the sum of all
layout shifts. Written by `python -m bench visits` over small data; what a page
fetches for later, once it is at rest, is not counted. `make test` holds the limits of the queue, `make prove` all.

<!-- [[[cog from bench import weights; cog.outl(weights.table()) ]]] -->
{table()}
<!-- [[[end]]] -->
"""
