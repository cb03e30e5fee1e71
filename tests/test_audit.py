"""The look-up of vulnerabilities is never silently green."""

import json
from pathlib import Path

import pytest

from tests.audit import PINNED, pins, report

ROOT = Path(__file__).resolve().parent.parent
WANTED = {"Jinja2": "3.1.6", "typing_extensions": "4.16.0"}
SAFE = {"name": "jinja2", "version": "3.1.6", "vulns": []}
ALSO_SAFE = {"name": "typing-extensions", "version": "4.16.0", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "3.1.6",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["3.1.7", "3.2"]}],
}
SKIPPED = {"name": "typing-extensions", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("dependencies", "sentences"),
    [
        ([SAFE, ALSO_SAFE], []),
        ([BAD, ALSO_SAFE], ["jinja2 3.1.6 has PYSEC-2026-1 (fixed in 3.1.7, 3.2)."]),
        ([SAFE, SKIPPED], ["1 of 2 packages could not be looked up, so nobody knows whether"]),
        ([SAFE], ["1 of 2 packages could not be looked up, so nobody knows whether"]),
        (
            [BAD, SKIPPED],
            ["jinja2 3.1.6 has PYSEC-2026-1 (fixed in", "1 of 2 packages could not be looked up"],
        ),
    ],
)
def test_what_is_vulnerable_and_what_is_unknown_are_both_said(
    dependencies: list[object], sentences: list[str]
) -> None:
    found = report(WANTED, json.dumps({"dependencies": dependencies, "fixes": []}))

    assert len(found) == len(sentences)
    for said, expected in zip(found, sentences, strict=True):
        assert said.startswith(expected)


@pytest.mark.parametrize("answer", ["", "Traceback", "[]", "{}"])
def test_without_an_answer_every_package_is_named_as_unknown(answer: str) -> None:
    (said,) = report(WANTED, answer)

    assert "2 of 2 packages" in said
    assert "Jinja2, typing_extensions" in said


def test_every_required_package_is_among_those_looked_up() -> None:
    looked_up = pins(PINNED.read_text())
    for name in (
        "requirements.txt",
        *(f"requirements-{of}.txt" for of in ("dev", "prove", "bench")),
    ):
        for package, version in pins((ROOT / name).read_text()).items():
            bare = package.partition("[")[0]
            assert looked_up[bare] == version, f"{bare} of {name}"


def test_the_proofs_look_them_up() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nprove:")[2].partition("\n\n")[0]

    assert "-m tests.audit" in recipe
