"""The server's settings, and the contrast of every color."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIG: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
THEMES = {shade: CONFIG["theme"][shade] for shade in ("light", "dark")}
STATUS_COLORS = ("green", "orange", "yellow", "gray", "blue", "red", "violet")
AA_TEXT, AA_GRAPHICS = 4.5, 3.0


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("server.address", "127.0.0.1"),
        ("server.allowedHosts", ["localhost", "127.0.0.1", "::1"]),
        ("server.headless", True),
        ("server.enableStaticServing", True),
        ("server.fileWatcherType", "none"),
        ("server.maxUploadSize", 1),
        ("server.maxMessageSize", 20),
        ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", False),
        ("client.toolbarMode", "viewer"),
        ("client.disableDataExport", True),
        ("runner.postScriptGC", False),
        ("runner.magicEnabled", False),
    ],
)
def test_the_server_is_set_up_quiet_and_closed(option: str, expected: object) -> None:
    section, name = option.split(".")

    assert expected == CONFIG[section][name]


@pytest.mark.parametrize(
    "option", ["enableCORS", "enableXsrfProtection", "enableAgentApi", "trustedUserHeaders"]
)
def test_no_protection_is_switched_off(option: str) -> None:
    assert option not in CONFIG["server"]


def test_fonts_are_here_with_their_licence() -> None:
    for face in CONFIG["theme"]["fontFaces"]:
        font = ROOT / face["url"].removeprefix("app/")
        assert font.read_bytes()[:4] == b"wOF2"
        assert "SIL Open Font License" in (font.parent / "OFL.txt").read_text()


def pairs() -> list[tuple[str, str, str, float]]:
    """Return (name, ink, ground, least ratio) for every pair that must be distinguishable."""
    wanted = []
    for shade, theme in THEMES.items():
        page, raised = theme["backgroundColor"], theme["secondaryBackgroundColor"]
        for ground in (page, raised):
            wanted += [
                (f"{shade} text", theme["textColor"], ground, AA_TEXT),
                (f"{shade} link", theme["linkColor"], ground, AA_TEXT),
                (f"{shade} accent", theme["primaryColor"], ground, AA_GRAPHICS),
            ]
        wanted += [
            (f"{shade} primary button", "#ffffff", theme["primaryColor"], AA_TEXT),
            (f"{shade} code", theme["codeTextColor"], theme["codeBackgroundColor"], AA_TEXT),
            (
                f"{shade} table header",
                theme["dataframeHeaderTextColor"],
                theme["dataframeHeaderBackgroundColor"],
                AA_TEXT,
            ),
        ]
        for name in STATUS_COLORS:
            ink = theme[f"{name}TextColor"]
            wanted += [
                (f"{shade} {name} badge", ink, theme[f"{name}BackgroundColor"], AA_TEXT),
                (f"{shade} {name} words", ink, page, AA_TEXT),
                (f"{shade} {name} mark", theme[f"{name}Color"], page, AA_GRAPHICS),
            ]
        wanted += [
            (f"{shade} chart {color}", color, page, AA_GRAPHICS)
            for color in theme["chartCategoricalColors"]
        ]
    return wanted


@pytest.mark.parametrize(("what", "ink", "ground", "least"), pairs())
def test_contrast_is_enough(what: str, ink: str, ground: str, least: float) -> None:
    assert least <= contrast(ink, ground), f"{what}: {ink} on {ground}"


@pytest.mark.parametrize(
    ("ink", "ground", "expected"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48)]
)
def test_contrast_is_measured_as_wcag_does(ink: str, ground: str, expected: float) -> None:
    assert expected == pytest.approx(contrast(ink, ground), abs=0.005)


@pytest.mark.parametrize("shade", THEMES)
def test_there_are_as_many_chart_colors_as_the_charts_ask_for(shade: str) -> None:
    """Plotly falls back to its own colors if one of the ten is missing."""
    for kind in ("Categorical", "Sequential", "Diverging"):
        assert len(THEMES[shade][f"chart{kind}Colors"]) == 10


def contrast(ink: str, ground: str) -> float:
    lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
