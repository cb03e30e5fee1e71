"""The documents say what the code says."""

import re
from pathlib import Path

import click
import pytest

from data_access.__main__ import main
from docs import affiliates_diagram, datasets, keyboard, kpis, policy_settings
from program.policy.criteria import CRITERIA, Criterion
from program.policy.policy import Policy

ROOT = Path(__file__).resolve().parent.parent


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
def test_every_command_says_what_it_does(name: str) -> None:
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


def test_the_page_about_the_keyboard_follows_from_the_table_of_keys() -> None:
    assert keyboard.TARGET.read_text() == keyboard.document(), "Run `make docs`."


def test_the_page_about_the_policy_follows_from_the_table_of_settings() -> None:
    assert policy_settings.TARGET.read_text() == policy_settings.document(), "Run `make docs`."


def test_the_page_about_affiliates_follows_from_the_tables_of_the_program() -> None:
    document = affiliates_diagram.document()

    assert affiliates_diagram.TARGET.read_text() == document, "Run `make docs`."
    # Every table found its place.
    assert "<!--" not in document


def test_the_page_about_the_figures_follows_from_their_registry() -> None:
    assert kpis.TARGET.read_text() == kpis.document(), "Run `make docs`."


def test_the_page_about_exports_follows_from_the_registry() -> None:
    assert datasets.TARGET.read_text() == datasets.document(), "Run `make docs`."
