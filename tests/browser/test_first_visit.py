"""A first visit takes few bytes and moves nothing, and no screen shuts anybody out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page, Route

from bench import weights
from tests.browser import screen
from tests.browser.conftest import Desks, Site, Visit, signed_in
from tests.browser.test_look import busiest
from tests.cases import first_of

pytestmark = [pytest.mark.browser]


@pytest.mark.parametrize("name", first_of(*weights.MOST))
def test_a_first_visit_is_light_and_moves_little(name: str, site: Site, desks: Desks) -> None:
    path = weights.PAGES[name].format(id=busiest(site))
    with desks.new(storage_state=signed_in(site.address, "mira")) as window:
        found = {name: weights.measure(window, site.address + path)}

    assert weights.over(found) == []


def test_what_exceeds_a_limit_is_named_with_both_numbers() -> None:
    found = {"queue": weights.Weight(requests=1, kilobytes=1_700, elements=1, shift=0.7)}

    assert weights.over(found) == [
        "queue: 1,700 kilobytes, of at most 1,600",
        "queue: 0.7 shift, of at most 0.1",
    ]


# Scripts that draw fields, links and tables.
OF_ELEMENTS = re.compile(r"/static/js/(Button|ButtonGroup|Html|LinkButton|MenuButton|DataFrame)\.")


@pytest.mark.parametrize("width", first_of(1440, 1024))
def test_fields_whose_scripts_come_late_move_nothing(width: int, site: Site, desks: Desks) -> None:
    size = {"width": width, "height": 900}
    with desks.new(storage_state=signed_in(site.address, "ana"), viewport=size) as window:
        page = window.new_page()
        page.add_init_script(weights.SHIFTS)
        late: list[Route] = []
        page.route(OF_ELEMENTS, lambda route: late.append(route))
        page.goto(site.address, wait_until="commit")
        page.locator(".st-key-queue-due [data-testid=stSkeleton]").wait_for()
        while late:
            late.pop().continue_()
        page.unroute(OF_ELEMENTS)
        page.locator(".st-key-queue-due [role=radiogroup]").wait_for()
        screen.names(page).first.wait_for(state="attached")

        assert page.evaluate("window.shifted") < weights.MOST["queue"].shift


# Elements of Streamlit and of its libraries that no page can change, each with its reason.
NOT_OURS = {
    # The grid is a canvas; its table for screen readers has rows below a container of its own.
    ".stDataFrame",
    # Plotly draws text over bars; its contrast is that of the palette, which has its own test.
    ".js-plotly-plot",
    # Ours, and pale by intent until it was seen for long enough; then it looks as others do.
    '[class*="st-key-sends-"] button',
}
AXE = """([rules, but]) => axe.run(
    {exclude: but.map(one => [one])},
    {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']},
).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target.join(' ')} ${node.html.slice(0, 160)} ${(node.any[0] ?? {}).message ?? ''}`)))"""


# The background of each theme, and the color of the other's text: see `.streamlit/config.toml`. What
# is collapsed may keep the other theme's color until it opens.
GROUNDS = {
    "light": ["rgb(255, 255, 255)", "rgb(230, 232, 238)"],
    "dark": ["rgb(20, 22, 27)", "rgb(27, 33, 48)"],
}
IS_DRAWN = """([ground, others]) =>
    getComputedStyle(document.querySelector('.stApp')).backgroundColor === ground
    && ![...document.querySelectorAll('.stApp :is(p, span)')]
        .some(one => one.checkVisibility() && getComputedStyle(one).color === others)"""


def findings(page: Page, schemes: Sequence[str]) -> Iterator[str]:
    """Yield axe's serious and critical findings in these themes."""
    if not page.evaluate("() => 'axe' in window"):
        # By the driver: the page's own policy forbids scripts of others.
        page.evaluate(AXE_FILE_PATH.read_text())
    for scheme in schemes:
        # Nothing fades for who asked for that, so that no color is one in between.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.wait_for_function(IS_DRAWN, arg=GROUNDS[scheme])
        for found in page.evaluate(AXE, [[], sorted(NOT_OURS)]):
            yield f"{page.url.rpartition('/')[2] or 'queue'}, {scheme}: {found}"


BOTH = ("light", "dark")
# Parts of pages with elements of their own.
PARTS = (
    "/outbox?show=templates",
    "/outbox?show=settings",
    "/policy?part=calibration",
    "/program?tab=volume",
    "/program?tab=cohorts",
    "/affiliates?part=outcomes",
)


@pytest.mark.parametrize(
    ("paths", "themes"),
    [
        # Between them they have nearly every kind of element, and both themes.
        pytest.param(
            ("/", weights.PAGES["application"]),
            [["light"], ["dark"], ["light"]],
            id="two screens",
        ),
        pytest.param(
            (*weights.PAGES.values(), *PARTS),
            repeat(BOTH),
            id="all screens",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_axe_finds_nothing_serious_on_any_screen(
    paths: Sequence[str], themes: Iterable[Sequence[str]], site: Site, visit: Visit
) -> None:
    """``themes`` are those of the sign-in, and of each path."""
    in_turn = iter(themes)
    page = visit(None)
    page.locator("a.person").first.wait_for()
    found = list(findings(page, next(in_turn)))
    page = visit("mira")
    for path in paths:
        page.emulate_media(color_scheme="light")
        page.goto(path.format(id=busiest(site)))
        page.locator(".st-key-header").wait_for()
        screen.settled(page)
        found += findings(page, next(in_turn))

    assert "\n".join(found) == ""
