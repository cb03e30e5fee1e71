"""Imports point one way: pages -> components -> program; pages -> data_access -> program."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OFF_LIMITS = {
    "program": (
        "streamlit",
        "sqlalchemy",
        "psycopg",
        "pandas",
        "plotly",
        "data_access",
        "dashboard",
    ),
    "data_access": ("streamlit", "dashboard"),
    "dashboard/components": ("sqlalchemy", "psycopg", "data_access", "dashboard.pages"),
    "dashboard/forms": ("sqlalchemy", "psycopg", "dashboard.pages"),
    "dashboard/pages": ("sqlalchemy", "psycopg", "dashboard.pages"),
}


def imported_names(path: Path) -> list[tuple[int, str]]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return names


@pytest.mark.parametrize("layer", OFF_LIMITS)
def test_imports_point_one_way(layer: str) -> None:
    crossings = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / layer).rglob("*.py"))
        for line, name in imported_names(path)
        if name.startswith(OFF_LIMITS[layer])
    ]
    assert crossings == []


def test_no_pages_folder_beside_the_entrypoint() -> None:
    """Streamlit would serve its files without the sign-in."""
    assert not (ROOT / "pages").exists()


def test_pages_and_routes_read_inside_the_wrapper_that_knows_a_busy_database() -> None:
    own = re.compile(r"\b(?:reader|reporter|writer|exporter|engine)(?:\(\))?\.(?:connect|begin)\(")
    files = [*(ROOT / "dashboard").rglob("*.py"), ROOT / "serve.py", ROOT / "streamlit_app.py"]
    crossings = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if own.search(line)
    ]
    assert crossings == []
