"""The empty frame of every page: Streamlit's own, with what this dashboard needs from the start.

The style stands in it, since a style that arrives later moves what is drawn already. The scripts of
the elements that a page draws are named in it, so that the browser fetches them at once and not one
after the other; those of the other pages are named for later, see ``static/desk.js``.
"""

import re
from functools import cache
from pathlib import Path

import streamlit as st

from dashboard.shell.screens import SCREENS

ROOT = Path(__file__).resolve().parents[2]
SHELL = Path(st.__file__).parent / "static"
SCRIPTS = SHELL / "static" / "js"
STYLE = ROOT / "dashboard" / "style.css"
# Of text and of icons: what is drawn before they are there moves when they come.
FONTS = (
    "app/static/fonts/IBMPlexSans-Variable.woff2",
    *(f"static/media/{file.name}" for file in SHELL.glob("static/media/MaterialSymbols-*.woff2")),
)
# Streamlit's scripts of elements, by their names before the hash. Every page draws the first.
COMMON = ("Button", "ButtonGroup", "Html", "LinkButton", "PageLink")
FIELDS = ("Selectbox", "TextInput")
TABLE = ("DataFrame",)
# As large as all others, and nobody waits for it.
CHARTS = ("PlotlyChart",)
ELEMENTS: dict[str, tuple[str, ...]] = {
    # With what the application has that is opened next: a box in its place holds back the rest.
    "": (*FIELDS, *TABLE, "MenuButton", "TextArea"),
    "application": (*TABLE, *CHARTS, "TextArea"),
    "program": (*FIELDS, *TABLE, *CHARTS, "Metric"),
    "affiliates": (*FIELDS, *TABLE),
    "explore": (*FIELDS, *TABLE, *CHARTS),
    "outbox": (*FIELDS, *TABLE),
    "policy": FIELDS,
    "settings": (*FIELDS, "DateInput"),
    "staff": (*FIELDS, *TABLE, "DateInput"),
    "import": (*FIELDS, "FileUploader"),
}
IMPORTED = re.compile(r'(?:from|import)"\./([^"]+\.js)"')
RUN = '<script type="module" crossorigin src="./static/js/{}"></script>'
PRELOAD = '<link rel="modulepreload" crossorigin href="./static/js/{}">'
PRELOAD_LAST = PRELOAD.replace(">", ' fetchpriority="low">')
STYLESHEET = '<link rel="stylesheet" crossorigin href="./static/css/{}">'
# A script's imports stand at its beginning.
BEGINNING = 16_000
NO_SCRIPT = "<noscript><p>Affiliate Review needs JavaScript.</p></noscript>"
# Before the scripts run: the header's line, and lines in the place of the page's first ones.
SKELETON = (
    '<div id="before-the-page" aria-hidden="true">'
    "<header></header><main><p></p><p></p><p></p><section></section></main></div>"
)


@cache
def of_page(path: str) -> bytes:
    """Return the frame of the page at ``path``, which begins with a slash."""
    name = path.strip("/")
    frame = (SHELL / "index.html").read_text()
    frame = re.sub(r"<title>.*?</title>", "<title>Affiliate Review</title>", frame)
    # A font of Streamlit's that the theme replaces, and an interface for agents that is closed.
    frame = re.sub(r'<link\s+rel="(?:preload|service-desc)".*?/>', "", frame, flags=re.DOTALL)
    frame = re.sub(r"<!--.*?-->", "", frame, flags=re.DOTALL)
    frame = re.sub(r"<noscript>.*?</noscript>", NO_SCRIPT, frame, flags=re.DOTALL)
    frame = frame.replace("./favicon.png", "./app/static/mark.svg")
    frame = frame.replace("<title>", f"{_fonts()}<title>", 1)
    frame = frame.replace("</head>", f"{_scripts(name, frame)}</head>", 1)
    # At the end, so that it comes after Streamlit's own.
    return frame.replace(
        "</body>", f"{SKELETON}<style>{STYLE.read_text()}</style></body>", 1
    ).encode()


def _fonts() -> str:
    return "".join(
        f'<link rel="preload" href="./{font}" as="font" type="font/woff2" crossorigin>'
        for font in FONTS
    )


def _scripts(name: str, frame: str) -> str:
    """Return what loads a page's own scripts, and the names of the others for later.

    Those of elements run before the first element comes: if one has to wait for its script, it is
    first drawn as a grey box of another size.
    """
    own, charts = scripts_of(name), [_file_of(element) for element in CHARTS]
    entries = [_file_of(element) for element in (*COMMON, *ELEMENTS[name])]
    styles = [file.name for file in SHELL.glob("static/css/DataFrame.*.css")]
    others = [script for screen in SCREENS for script in scripts_of(screen.path)]
    later = " ".join(f"static/js/{one}" for one in dict.fromkeys(others) if one not in own)
    return "".join(
        [
            *(
                PRELOAD.format(script)
                for script in own
                if script not in entries and script not in frame
            ),
            *(STYLESHEET.format(file) for file in styles if "DataFrame" in ELEMENTS[name]),
            *(RUN.format(script) for script in entries if script not in charts),
            *(PRELOAD_LAST.format(script) for script in entries if script in charts),
            f'<meta name="fetched-later" content="{later}">',
        ]
    )


@cache
def scripts_of(name: str) -> tuple[str, ...]:
    """Return the files of the scripts that draw a page's elements, and what they import."""
    found: dict[str, None] = {}
    waiting = [_file_of(element) for element in (*COMMON, *ELEMENTS[name])]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found[file] = None
            with (SCRIPTS / file).open() as script:
                waiting += IMPORTED.findall(script.read(BEGINNING))
    return tuple(found)


def _file_of(element: str) -> str:
    return next(file.name for file in SCRIPTS.glob(f"{element}.*.js"))
