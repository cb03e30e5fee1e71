"""The files in deploy/, read for the tests."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/affiliate-review"


def instructions(name: str) -> Iterator[str]:
    """Yield what follows ``name`` in the Dockerfile, for each such line."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    yield from (line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} "))


def copied() -> list[str]:
    """Return the files and folders of the repository that the final image holds."""
    last_stage = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", last_stage, re.M)
    return [one for group in sources for one in group.split()]


def passwords(service: str) -> set[str]:
    """Return the settings with a login's password that compose gives to a service."""
    services = (DEPLOY / "compose.yaml").read_text().partition("\nservices:\n")[2]
    (of_it,) = re.findall(rf"^  {service}:\n((?:    .*\n|\n)+)", services, re.M)
    return set(re.findall(r"^      (DATABASE_[A-Z]+_PASSWORD): ", of_it, re.M))
