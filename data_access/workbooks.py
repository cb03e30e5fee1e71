"""A workbook's file: a zip of XML parts, written from first to last and never gone back to.

So it can be handed over while it grows. Nothing in it is a formula, a link or a macro.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

# A part that holds more needs an extension of the zip format, at which Excel offers repairs.
LARGEST_PART = (1 << 31) - (1 << 26)
# The stronger levels take several times as long for a tenth.
COMPRESSION = 2
PLAIN, HEADING, QUOTED, NAME, WORDS, FIRST_NUMBER = range(6)
# Control characters, and text that reads like one written by its number.
UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
LIKE_A_NUMBER = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = ("worksheets/sheet1", "worksheets/sheet2", "styles", "sharedStrings")


class _Forward:
    """A target that cannot be gone back in, of which the zip is told so by what it lacks."""

    def __init__(self, target: BinaryIO) -> None:
        self.write, self.flush = target.write, target.flush


@contextmanager
def opened(target: BinaryIO) -> Iterator[ZipFile]:
    """The archive, with what says where its parts are."""
    forward: IO[bytes] = _Forward(target)  # type: ignore[assignment]
    with ZipFile(forward, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        add(archive, "[Content_Types].xml", _content_types())
        add(archive, "_rels/.rels", _relations({"officeDocument": "xl/workbook.xml"}))
        add(archive, "xl/_rels/workbook.xml.rels", _relations(dict.fromkeys(PARTS, "")))
        yield archive


def add(archive: ZipFile, name: str, content: str) -> None:
    """Write a small part. Without a time in it, the same rows are the same bytes."""
    with archive.open(name, "w") as part:
        part.write((XML + content).encode())


def written(text: str) -> str:
    """A text's characters as XML, those that XML has no way to write by their number."""
    plain = LIKE_A_NUMBER.sub("_x005F_", text)
    return UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", escape(plain))


def text_of(text: str) -> str:
    """The element that holds a text."""
    keep = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<t{keep}>{written(text)}</t>"


def cell(reference: str, text: str, look: int) -> str:
    """A cell of text."""
    return f'<c r="{reference}" s="{look}" t="inlineStr"><is>{text_of(text)}</is></c>'


def letters(place: int) -> str:
    """The name of a column, counted from 0: A, B, ..., Z, AA."""
    found = ""
    while place >= 0:
        place, rest = divmod(place, 26)
        found, place = chr(ord("A") + rest) + found, place - 1
    return found


def sheet_head(widths: Sequence[float], *, frozen: bool) -> str:
    """What stands before a sheet's rows."""
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetView tabSelected="1" workbookViewId="0">{pane}</sheetView>'
    plain = '<sheetView workbookViewId="0"/>'
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(widths, start=1)
    )
    return (
        f'<worksheet xmlns="{MAIN}"><sheetViews>'
        f"{view if frozen else plain}</sheetViews>"
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def workbook(*, filtered: str) -> str:
    """The sheets by name; ``filtered`` is the range of the first that has filter buttons."""
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(("Rows", "About"), start=1)
    )
    first, last = (re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", end) for end in filtered.split(":"))
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{sheets}</sheets><definedNames>"
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'
        f"Rows!{first}:{last}</definedName></definedNames></workbook>"
    )


def styles(formats: Mapping[str, int]) -> str:
    """How cells look: the fixed looks, then one for each number format, by its place."""
    numbers = "".join(
        f'<numFmt numFmtId="{164 + place}" formatCode="{escape(code)}"/>'
        for place, code in enumerate(formats)
    )
    top = 'applyAlignment="1"><alignment vertical="top"'
    looks = [
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyFont="1"/>',
        # Even after somebody edits the cell it stays text.
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/>',
        f'<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" {top}/></xf>',
        f'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" {top} wrapText="1"/></xf>',
        *(
            f'<xf numFmtId="{164 + place}" fontId="0" fillId="0" borderId="0" xfId="0"'
            ' applyNumberFormat="1"/>'
            for place in range(len(formats))
        ),
    ]
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    none = "<left/><right/><top/>"
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(formats)}">{numbers}</numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        f'<borders count="2"><border>{none}<bottom/><diagonal/></border>'
        f'<border>{none}<bottom style="thin"/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(looks)}">{"".join(looks)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )


def shared_strings(texts: Sequence[str]) -> str:
    """The texts that cells name by their place."""
    listed = "".join(f"<si>{text_of(text)}</si>" for text in texts)
    return f'<sst xmlns="{MAIN}" uniqueCount="{len(texts)}">{listed}</sst>'


def _content_types() -> str:
    parts = {"workbook": "sheet.main", "styles": "styles", "sharedStrings": "sharedStrings"}
    parts |= dict.fromkeys(PARTS[:2], "worksheet")
    overrides = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{SHEET_TYPE}.{kind}+xml"/>'
        for name, kind in parts.items()
    )
    return (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(targets: Mapping[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{_kind(name)}"'
        f' Target="{target or f"{name}.xml"}"/>'
        for number, (name, target) in enumerate(targets.items(), start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _kind(name: str) -> str:
    return "worksheet" if name.startswith("worksheets/") else name
