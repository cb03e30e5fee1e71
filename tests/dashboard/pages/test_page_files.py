"""Each page checks the person before it does anything else."""

import ast
from pathlib import Path

import pytest

from dashboard.shell.screens import SCREENS
from tests.dashboard.pages.screen import ROOT

PAGES = sorted((ROOT / "dashboard" / "pages").glob("*/page.py"))


def body_of(path: Path, name: str) -> list[ast.stmt]:
    """Return a function's statements without its docstring."""
    (function,) = (
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return [node for node in function.body if not is_docstring(node)]


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_every_page_file_is_a_screen() -> None:
    assert {str(path.relative_to(ROOT)) for path in PAGES} == {screen.file for screen in SCREENS}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_every_page_first_checks_the_person(path: Path) -> None:
    first = body_of(path, "main")[0]

    assert isinstance(first, ast.Assign | ast.Expr)
    assert isinstance(first.value, ast.Call)
    assert ast.unparse(first.value.func) == "sign_in.require"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_a_page_requires_the_act_of_its_screen(path: Path) -> None:
    (screen,) = (screen for screen in SCREENS if screen.file == str(path.relative_to(ROOT)))

    (argument,) = body_of(path, "main")[0].value.args  # type: ignore[attr-defined]

    assert ast.unparse(argument) == str(screen.act.__class__.__name__) + "." + screen.act.name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_a_page_does_nothing_outside_of_main(path: Path) -> None:
    called = [
        ast.unparse(node)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Expr) and not is_docstring(node)
    ]

    assert called == ["main()"]
