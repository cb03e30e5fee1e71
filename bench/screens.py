"""Screenshots of every page for the documents: ``docs/screens.md`` and its images.

Over the demo's data, in both themes, as a manager sees them. Of the three common sizes of a window
there is a contact sheet per theme.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page
from sqlalchemy import Engine

from bench import browser, database, pages
from bench.weights import PAGES
from data_access import demo, rollups
from data_access.db.embedded import HOME, Cluster
from tests.browser import screen
from tests.browser.serving import served
from tests.builders import know_the_desk

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
CLUSTER = Cluster(HOME / "bench-screens")
MANAGER = "mira"
THEMES = ("light", "dark")
# Dialogs with a picture of their own: the page, and the button that opens them.
DIALOGS = {"weekly-mail": ("program", "Weekly mail")}
# Their images are in the document; the first is measured.
SIZES = ((1440, 900), (1024, 768), (1920, 1080))
AFFILIATES = 240
QUALITY = 55
# Of a picture in the contact sheet, in pixels.
THUMB, GAP = (360, 225), 8
DRAWN_MS = 1500
# No part of the page waits for its script, and no chart for its lines.
ALL_THERE = """() => !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('.js-plotly-plot')].every(one => one.querySelector('.scatterlayer path, .barlayer path, .heatmaplayer image'))"""


def report() -> None:
    """Fill a demo, and photograph every page in every size and theme."""
    engine = filled()
    try:
        with served(CLUSTER.home) as address, browser.windows() as window:
            page = window()
            page.goto(address)
            screen.sign_in(page, MANAGER)
            known = pages.applicant(engine)
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
                thumbs = [
                    thumb
                    for name, path in PAGES.items()
                    for thumb in _each_size(page, address + path.format(**known), name, theme)
                ]
                _save(_sheet(thumbs), f"sheet-{theme}")
                for name, (path, button) in DIALOGS.items():
                    _dialog(page, address + PAGES[path], name, button, theme)
    finally:
        engine.dispose()
        CLUSTER.stop()


def filled() -> Engine:
    """Build the demo anew, with a desk at work."""
    engine, now = database.recreate(cluster=CLUSTER), datetime.now(UTC)
    demo.fill(engine, now=now, affiliates=AFFILIATES)
    rollups.refresh(engine, now=now)
    demo.work_desk(engine)
    with engine.begin() as connection:
        know_the_desk(connection)
    return engine


def _each_size(page: Page, address: str, name: str, theme: str) -> Iterator[Image.Image]:
    """Open a page, save its picture in the first size, and yield it small in all."""
    page.goto(address)
    page.locator(".st-key-header").wait_for()
    for size in SIZES:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        _at_rest(page)
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        if size == SIZES[0]:
            _save(picture, f"{name}-{theme}")
        picture.thumbnail(THUMB)
        yield picture
    print(name, theme, flush=True)


def _dialog(page: Page, address: str, name: str, button: str, theme: str) -> None:
    """Open a dialog of a page, and save its picture."""
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
    page.goto(address)
    page.get_by_role("button", name=button).click()
    page.get_by_role("dialog").wait_for()
    _at_rest(page)
    _save(Image.open(BytesIO(page.screenshot())).convert("RGB"), f"{name}-{theme}")


def _at_rest(page: Page) -> None:
    screen.settled(page)
    page.wait_for_function(ALL_THERE)
    # Charts and tables follow the size of the window a moment later.
    page.wait_for_timeout(DRAWN_MS)


def _sheet(thumbs: list[Image.Image]) -> Image.Image:
    """Return a sheet with a row for each page, and a column for each size."""
    wide, high = THUMB[0] + GAP, THUMB[1] + GAP
    rows = -(-len(thumbs) // len(SIZES))
    sheet = Image.new("RGB", (wide * len(SIZES) + GAP, high * rows + GAP), (127, 127, 127))
    for number, thumb in enumerate(thumbs):
        row, column = divmod(number, len(SIZES))
        sheet.paste(thumb, (GAP + column * wide, GAP + row * high))
    return sheet


def _save(picture: Image.Image, name: str) -> None:
    picture.save(IMAGES / f"{name}.webp", quality=QUALITY, method=6)


def table() -> str:
    """Return every page in both themes as a Markdown table."""
    rows = (
        f"| {name} | ![{name}, light](images/{name}-light.webp) "
        f"| ![{name}, dark](images/{name}-dark.webp) |"
        for name in (*PAGES, *DIALOGS)
    )
    return "\n".join(["", "| page | light | dark |", "|:--|:--|:--|", *rows, ""])


def files() -> list[str]:
    """Return the names of all images."""
    of_pages = [f"{name}-{theme}" for name in (*PAGES, *DIALOGS) for theme in THEMES]
    return [f"{name}.webp" for name in (*of_pages, *(f"sheet-{theme}" for theme in THEMES))]
