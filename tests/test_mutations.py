"""Each guard of the product is covered by a test: removed, that test fails."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.mutations import MUTATIONS, Mutation

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".data", ".hypothesis", "*_cache", "__pycache__"
)


def test_every_mutations_code_is_found_once() -> None:
    lost = [
        f"{one.guard}: found {found} times in {one.file}"
        for one in MUTATIONS
        if (found := (ROOT / one.file).read_text().count(one.old)) != 1
    ]
    assert lost == []


def test_every_mutations_test_exists() -> None:
    gone = [
        one.test
        for one in MUTATIONS
        for file, _, name in [one.test.partition("::")]
        if f"\ndef {name}(" not in (ROOT / file).read_text()
    ]
    assert gone == []
    assert len({one.guard for one in MUTATIONS}) == len(MUTATIONS)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project for removing guards, with its own database server."""
    made = tmp_path_factory.mktemp("mutated") / "tree"
    shutil.copytree(ROOT, made, ignore=NOT_COPIED, symlinks=True)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_removing_a_guard_fails_its_test(tree: Path, mutation: Mutation) -> None:
    file = tree / mutation.file
    whole = file.read_text()
    file.write_text(whole.replace(mutation.old, mutation.new))
    try:
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-m",
                "",
                "-p",
                "no:cacheprovider",
                mutation.test,
            ],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(whole)

    # Failed as a test does: a broken run, or one without tests, proves nothing.
    assert run.returncode == 1, run.stdout[-2_000:] + run.stderr[-2_000:]
    failed = re.findall(r"^FAILED (\S+?)(?:\[| -|$)", run.stdout, re.MULTILINE)
    assert failed == [mutation.test], run.stdout[-2_000:]
