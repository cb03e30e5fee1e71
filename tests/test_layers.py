"""Which modules may import and name what."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_imports_point_one_way() -> None:
    """The contracts are in ``.importlinter``; `make check` lists violations."""
    # In a process of its own: it switches off the loggers of the process it runs in.
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_pages_folder_beside_the_entrypoint() -> None:
    """Streamlit would serve its files without the sign-in."""
    assert not (ROOT / "pages").exists()


def test_a_page_makes_no_class() -> None:
    """Its script runs at every click, and to make a dataclass takes a millisecond."""
    pages = [ROOT / "streamlit_app.py", *(ROOT / "dashboard" / "pages").rglob("page.py")]
    made = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in pages
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert made == []


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


@pytest.mark.parametrize(
    ("names", "files"),
    [
        # Background work holds its job with its own writer.
        (
            r"database\.(?:writer|loader)\b",
            {
                "dashboard/forms/background.py",
                "dashboard/forms/submit.py",
                # Sign-ins and sign-outs come before forms.
                "dashboard/shell/sessions.py",
            },
        ),
        (r"\bsession_state\b", {"dashboard/ui/state.py"}),
        # A browser's number field reads 2,5 as 25; `program.text.numbers` parses text.
        (r"\bnumber_input\b", set()),
    ],
)
def test_restricted_names_are_used_only_in_their_modules(names: str, files: set[str]) -> None:
    naming = {
        str(path.relative_to(ROOT))
        for path in [*(ROOT / "dashboard").rglob("*.py"), ROOT / "serve.py"]
        if re.search(names, path.read_text())
    }
    assert naming == files


def test_the_environment_is_read_through_the_table_of_settings() -> None:
    reading = {
        str(path.relative_to(ROOT))
        for folder in ("program", "data_access", "dashboard")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bos\.(?:environ|getenv)\b", path.read_text())
    }
    assert reading == {
        "data_access/db/embedded.py",
        "data_access/db/environment.py",
        "data_access/db/roles.py",
        "data_access/messages/worker.py",
        # Streamlit's options, each under its own name.
        "dashboard/shell/server_options.py",
    }


# Buttons that write on a press without a visibility check: personal settings, the end of one's own
# sessions, and two that check it themselves.
PRESSED_UNSEEN = {
    "columns.py: _put",
    "dismissal.py: _dismiss",
    "taking_next.py: _press",
    "tour.py: _seen",
    "tour.py: _take",
    "saved_view_form.py: _save",
    "signing_out.py: _press",
}


def test_every_button_that_writes_responds_only_after_it_was_seen() -> None:
    unseen = {
        f"{path.name}: {function}"
        for path in sorted((ROOT / "dashboard").rglob("*.py"))
        for function in written_by_plain_buttons(ast.parse(path.read_text()))
    }
    assert unseen == PRESSED_UNSEEN


def written_by_plain_buttons(module: ast.Module) -> set[str]:
    """Return the writing functions that plain Streamlit buttons call."""
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
    """Return functions that submit, and those that name one of them."""
    named = {node.name: names_in(node) for node in module.body if isinstance(node, ast.FunctionDef)}
    writing = {f"submit.{name}" for name in ("submit", "carry_out", "write", "load")}
    writing.add("background.submit")
    while more := {name for name, used in named.items() if used & writing} - writing:
        writing |= more
    return writing


def names_in(tree: ast.AST) -> set[str]:
    return {
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)
    }


LONGEST, MOST_PARAMETERS = 60, 7


def test_a_function_fits_in_a_glance() -> None:
    too_big = [
        f"{path.relative_to(ROOT)}: {function.name}, {lines} lines, {parameters} parameters"
        for package in ("program", "data_access", "dashboard")
        for path in sorted((ROOT / package).rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for lines, parameters in [size(function)]
        if lines > LONGEST or parameters > MOST_PARAMETERS
    ]
    assert too_big == []


def size(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """Return the lines from its name to its end, and its parameters without self."""
    taken = function.args
    named = [one.arg for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
    length = (function.end_lineno or 0) - function.lineno + 1
    return length, len([name for name in named if name not in ("self", "cls")])
