"""The documents agree with the code."""

import inspect
import re
from pathlib import Path

import click
import pytest
from cogapp import Cog

from bench import screens
from data_access.__main__ import main
from docs import generated, generated_risk, generated_scaling
from program.policy.criteria import CRITERIA, Criterion
from program.policy.policy import Policy
from program.text.glossary import TERMS

ROOT = Path(__file__).resolve().parent.parent
# Of all pictures of the screens.
LARGEST_BYTES = 3_000_000


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: criterion.key)
def test_the_rules_document_has_every_minimum_as_the_policy_has_it(criterion: Criterion) -> None:
    rules = (ROOT / "docs" / "program.md").read_text()
    minimum = f"{int(getattr(Policy(), criterion.minimum)):,}"
    word = str(criterion.comparison)

    assert re.search(rf"\| {minimum}( USD)? \| {word} \|", rules)


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    named = set(re.findall(r"python -m data_access (\w+)", readme))

    assert named <= set(main.commands)
    assert {"migrate", "load", "refresh", "export", "doctor"} <= named


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_a_description(name: str) -> None:
    command = main.commands[name]

    assert isinstance(command, click.Command)
    assert command.help


def test_every_make_target_of_the_readme_exists() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    assert set(re.findall(r"`make ([a-z]+)`", readme)) <= targets


def test_every_file_a_document_links_to_is_there() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_site_has_every_document_once() -> None:
    named = re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)

    assert sorted(named) == sorted(file.name for file in (ROOT / "docs").glob("*.md"))


def test_every_page_is_pictured_and_the_pictures_are_small() -> None:
    pictures = [ROOT / "docs" / "images" / name for name in screens.files()]

    assert [file.name for file in pictures if not file.exists()] == []
    assert sum(file.stat().st_size for file in pictures) < LARGEST_BYTES


def test_every_path_a_document_names_is_there() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = re.findall(
            r"`((?:program|data_access|dashboard|docs|tests|static|bench)/[\w/.]*)`",
            document.read_text(),
        )
        missing = [path for path in named if not (ROOT / path).exists()]

        assert not missing, document.name


# What a newcomer searches for, and the one file that holds the rule.
HOMES = {
    "status transitions": "program/review/workflow.py",
    "reapply date": "program/review/reapplication.py",
    "SMTP": "data_access/messages/channels/smtp.py",
    "conflict of interest": "data_access/review/conflicts.py",
    "queue search": "program/review/searching.py",
    "approved affiliate": "data_access/affiliates/approved.py",
    "duplicate applicant": "data_access/review/duplicates.py",
    "rebate limit": "program/review/rebates.py",
    "overdue": "program/review/business_time.py",
    "median decision time": "data_access/reports/speed.py",
    "decision that stands": "data_access/db/migrations/schema/05_review.sql",
}


def test_the_table_of_common_changes_has_a_row_for_each_subject() -> None:
    table = rows_of_common_changes()

    assert len({change for change, _ in table}) == len(table) == 51
    for words, home in HOMES.items():
        assert [where for change, where in table if words in change and home in where], words


@pytest.mark.parametrize(("words", "home"), HOMES.items())
def test_a_rule_is_found_by_its_words(words: str, home: str) -> None:
    text = (ROOT / home).read_text()
    introduction = text.split('"""')[1] if home.endswith(".py") else text

    assert words.lower() in introduction.lower()


def rows_of_common_changes() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.split("| to change | edit |\n|---|---|\n")[1].split("\n\n")[0]
    return re.findall(r"^\| (.+?) \| (.+) \|$", table, re.M)


def test_the_glossary_is_sorted_and_explains_each_term_in_one_sentence() -> None:
    assert list(TERMS) == sorted(TERMS, key=str.lower)
    assert [m for m in TERMS.values() if m.count(".") != 1 or not m.endswith(".")] == []


def test_the_generated_parts_of_the_documents_follow_from_the_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    documents = sorted(map(str, (ROOT / "docs").glob("*.md")))

    status = Cog().main(["cog", "--check", "--diff", *documents])

    assert status == 0, f"Run `make docs`.\n{capsys.readouterr().out}"


@pytest.mark.parametrize(
    "part",
    [
        f"{module.__name__.removeprefix('docs.')}.{name}()"
        for module in (generated, generated_risk, generated_scaling)
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if name[0] != "_" and found.__module__ == module.__name__ and name != "table"
    ],
)
def test_every_generated_part_is_in_a_document(part: str) -> None:
    documents = "".join(file.read_text() for file in (ROOT / "docs").glob("*.md"))

    assert f"cog.outl({part})" in documents
