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


# Buttons that write at a press though nobody may have looked: what is one's own look, and two
# that ask themselves whether it was seen.
PRESSED_UNSEEN = {
    "column_form.py: _put",
    "run_report.py: _dismiss",
    "taking_next.py: _press",
    "view_keeping.py: _save",
}


def test_every_button_that_writes_does_so_only_once_it_was_seen() -> None:
    unseen = {
        f"{path.name}: {function}"
        for path in sorted((ROOT / "dashboard").rglob("*.py"))
        for function in written_by_plain_buttons(ast.parse(path.read_text()))
    }
    assert unseen == PRESSED_UNSEEN


def written_by_plain_buttons(module: ast.Module) -> set[str]:
    """The functions that write and that a button of Streamlit's own calls."""
    writing = functions_that_write(module)
    return {
        name
        for call in ast.walk(module)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("button", "form_submit_button")
        for keyword in call.keywords
        if keyword.arg == "on_click"
        for name in names_in(keyword.value) & writing
    }


def functions_that_write(module: ast.Module) -> set[str]:
    """Those that name the writer or the loader, and those that name one of them."""
    named = {node.name: names_in(node) for node in module.body if isinstance(node, ast.FunctionDef)}
    writing = {"database.writer", "database.loader"}
    while more := {name for name, used in named.items() if used & writing} - writing:
        writing |= more
    return writing


def names_in(tree: ast.AST) -> set[str]:
    return {
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)
    }
