"""Escape typed text for places where Streamlit reads Markdown or HTML.

Prefer a place that takes plain text: ``st.text``, a dataframe cell, a selectbox option. These
functions are for labels and titles that have no such form.
"""

import html
import re
import unicodedata

# Format and separator characters that hide, reorder or break text. A joiner between two letters or
# emoji is legitimate, but invisible, so it is shown as well.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>:$&/=^\"'])")
# Backslashes do not stop these: addresses become links, `:streamlit:` an image, `->` an arrow. An
# invisible word joiner after the sign does.
_LIVE = re.compile(r"(?i)(\\:|www|@|(?:\\<)(?=\\-)|\\-(?=\\[->]))")
WORD_JOINER = "\u2060"


def escape(text: str) -> str:
    """Escape ``text`` for a Markdown label, on one line, showing exactly what was typed.

    Not for ``st.badge``, which escapes brackets again: badges show only the product's words.
    """
    escaped = _MARKDOWN.sub(r"\\\1", visible(text))
    return _LIVE.sub(lambda found: found[0] + WORD_JOINER, escaped)


def escape_html(text: str) -> str:
    """Escape ``text`` for HTML content or a quoted attribute."""
    return html.escape(visible(text), quote=True)


def escape_chart(text: str) -> str:
    """Escape ``text`` for a Plotly title, label or hover text, which would render tags."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def visible(text: str) -> str:
    """Return ``text`` on one line, with hidden characters written as ``[U+202E]``."""
    return "".join(_shown(sign) for sign in re.sub(r"[ \t\r\n\f\v]+", " ", text))


def _shown(sign: str) -> str:
    if unicodedata.category(sign) in _HIDDEN or sign in _INVISIBLE_LETTERS:
        return f"[U+{ord(sign):04X}]"
    return sign
