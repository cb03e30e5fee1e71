"""All Unicode characters, and a sample of them for the everyday suite."""

import sys
import unicodedata

import pytest

KNOWN = [
    sign
    for sign in map(chr, range(1, sys.maxunicode + 1))
    if unicodedata.category(sign) not in ("Cn", "Co", "Cs")
]
# The scripts and symbols in common use, and one in thirty of the rest.
SAMPLE = [sign for sign in KNOWN if sign < "\u3000"] + [s for s in KNOWN if s >= "\u3000"][::30]
assert len(KNOWN) > 140_000
SAMPLE_OR_ALL = pytest.mark.parametrize(
    "known",
    [pytest.param(SAMPLE, id="a sample"), pytest.param(KNOWN, id="all", marks=pytest.mark.slow)],
)
