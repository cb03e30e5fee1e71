"""Typed text where Streamlit would read it as Markdown or HTML. The one place that escapes.

First choice is a place that takes text as it is: ``st.text``, a dataframe cell, a
selectbox option. These are for the labels and titles that have no such form.
"""

import html
import re
import unicodedata

# Format and separator characters that hide, reorder or break text. A joiner between two
# letters or emoji is legitimate writing, yet invisible, so it is shown as well.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>:$&/=^\"'])")
# Backslashes alone leave these live: addresses become links, `:streamlit:` an image, `->` an
# arrow. An invisible word joiner after the sign stops that.
_LIVE = re.compile(r"(?i)(\\:|www|@|(?:\\<)(?=\\-)|\\-(?=\\[->]))")
WORD_JOINER = "\u2060"


def escape(text: str) -> str:
    """``text`` for a Markdown-parsed label, on one line, showing exactly what was typed.

    Not for ``st.badge``, which escapes brackets once more: a badge says the product's words.
    """
    escaped = _MARKDOWN.sub(r"\\\1", visible(text))
    return _LIVE.sub(lambda found: found[0] + WORD_JOINER, escaped)


def escape_html(text: str) -> str:
    """``text`` for HTML content or a quoted attribute."""
    return html.escape(visible(text), quote=True)


def escape_chart(text: str) -> str:
    """``text`` for a Plotly title, label or hover text, where tags would come alive."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def visible(text: str) -> str:
    """``text`` on one line, with hidden characters spelled out as ``[U+202E]``."""
    return "".join(_shown(sign) for sign in re.sub(r"[ \t\r\n\f\v]+", " ", text))


def _shown(sign: str) -> str:
    if unicodedata.category(sign) in _HIDDEN or sign in _INVISIBLE_LETTERS:
        return f"[U+{ord(sign):04X}]"
    return sign
