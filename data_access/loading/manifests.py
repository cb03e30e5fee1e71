"""Manifests: what the sender says a file contains. Detects a file cut inside its last number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from data_access.loading.kinds import FactKind, Form
from data_access.loading.problems import LoadRefused, Problem
from data_access.loading.sources import Fingerprint, read_toml

AMOUNT = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")
SHA256 = re.compile(r"^[0-9a-fA-F]{64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The expected content of one file; fields that are not set are not checked."""

    rows: int | None = None
    sha256: str | None = None
    totals: Mapping[str, Decimal] = field(default_factory=dict)


def read(path: Path, kind: FactKind, files: list[str]) -> dict[str, Promise]:
    """Return the promise for each of ``files``; raises LoadRefused if one is missing or wrong."""
    content = read_toml(path)
    for name in files:
        if not isinstance(content.get(name), dict):
            raise _refused(path, name, 'is not described; add a table ["' + name + '"]')
    return {name: _promise(path, name, content[name], kind) for name in files}


def broken(
    promise: Promise, *, fingerprint: Fingerprint, rows: int, totals: Mapping[str, Decimal]
) -> list[Problem]:
    """Return the differences between the file and its promise."""
    file = fingerprint.name
    found = []
    if promise.rows not in (None, rows):
        reason = f"has {rows:,} rows, and the manifest says {promise.rows:,}; fetch it again"
        found.append(Problem(file=file, reason=reason))
    if promise.sha256 not in (None, fingerprint.sha256):
        reason = f"has SHA-256 {fingerprint.sha256}, and the manifest says another; fetch it again"
        found.append(Problem(file=file, reason=reason))
    for column, promised in promise.totals.items():
        if totals.get(column, promised) != promised:
            reason = (
                f"adds up to {totals[column]}, and the manifest says {promised}; fetch it again"
            )
            found.append(Problem(file=file, column=column, reason=reason))
    return found


def _promise(path: Path, name: str, content: dict[str, Any], kind: FactKind) -> Promise:
    unknown = [key for key in content if key not in ("rows", "sha256", "totals")]
    if unknown:
        raise _refused(path, name, f"names {', '.join(unknown)}; it may name rows, sha256, totals")
    rows, sha256 = content.get("rows"), content.get("sha256")
    if rows is not None and (not isinstance(rows, int) or isinstance(rows, bool)):
        raise _refused(path, name, "has rows that are not a whole number")
    if sha256 is not None and not SHA256.match(str(sha256)):
        raise _refused(path, name, "has a sha256 that is not 64 hexadecimal digits")
    return Promise(
        rows=rows,
        sha256=sha256.lower() if sha256 else None,
        totals={
            column: _total(path, name, kind, column, value)
            for column, value in content.get("totals", {}).items()
        },
    )


def _total(path: Path, name: str, kind: FactKind, column: str, value: object) -> Decimal:
    known = [rule.name for rule in kind.columns if rule.form in (Form.WHOLE, Form.MONEY)]
    if column not in known:
        raise _refused(path, name, f"totals {column}; the columns with a total are {known}")
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not (isinstance(value, str) and AMOUNT.match(value)):
        raise _refused(path, name, f'totals {column} inexactly; write it in quotes, as "1234.50"')
    return Decimal(str(value))


def _refused(path: Path, name: str | None, reason: str) -> LoadRefused:
    return LoadRefused((Problem(file=path.name, column=name, reason=reason),))
