"""Look up every pinned package among the known vulnerabilities: ``python -m tests.audit``.

Ends with status 1 and a sentence for each vulnerability, and for each package that could not be
looked up: without a network, or behind a mirror that has no such data, nothing is known to be safe.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINNED = ROOT / "constraints.txt"
COMMAND = ("-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off")


def pins(text: str) -> dict[str, str]:
    """Return the version of each package in ``name==version`` lines."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return dict(line.split("==", 1) for line in lines if "==" in line)


def report(wanted: dict[str, str], answer: str) -> list[str]:
    """Return a sentence for each problem in the answer of pip-audit, which may be empty."""
    try:
        looked_up: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (json.JSONDecodeError, KeyError, TypeError):
        looked_up = []
    known = {one["name"].lower().replace("_", "-"): one for one in looked_up if "vulns" in one}
    unknown = [name for name in wanted if name.lower().replace("_", "-") not in known]
    return [*_vulnerable(known.values()), *_not_looked_up(unknown, of=len(wanted))]


def _vulnerable(known: Iterable[dict[str, Any]]) -> list[str]:
    return [
        f"{one['name']} {one['version']} has {found['id']}"
        f" (fixed in {', '.join(found['fix_versions']) or 'no version yet'})."
        for one in known
        for found in one["vulns"]
    ]


def _not_looked_up(names: list[str], *, of: int) -> list[str]:
    if not names:
        return []
    return [
        f"{len(names)} of {of} packages could not be looked up, so nobody knows whether they are "
        f"vulnerable: {', '.join(sorted(names, key=str.lower))}. "
        "Run this where the public list of vulnerabilities can be reached."
    ]


def main() -> None:
    """Look them up and exit."""
    wanted = pins(PINNED.read_text())
    done = subprocess.run(
        [sys.executable, *COMMAND, "--format=json", "-r", str(PINNED)],
        capture_output=True,
        text=True,
        check=False,
    )
    problems = report(wanted, done.stdout)
    if problems:
        sys.exit("\n".join(problems))
    print(f"None of {len(wanted)} packages has a known vulnerability.")  # noqa: T201


if __name__ == "__main__":
    main()
