"""Text that is not ours, made safe to stand in a prompt: it is data, and cannot pass for an instruction."""

import re
import unicodedata

LONGEST_TEXT = 8_000  # characters of one fenced text unless its prompt says otherwise; the schema has its own limit
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Controls, lone surrogates, non-characters, what turns the direction of writing, and invisible tag characters.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
_TAG = re.compile(r"<\s*/?\s*([a-z][a-z_]{0,40})(?:-([0-9]{1,9}))?", re.IGNORECASE)


class Fenced(str):
    """Text that may stand in a prompt as it is."""

    __slots__ = ()


def harmless(text: str) -> str:
    """The text with every character that a reader would not see, or a transport not carry, as U+FFFD.

    Line breaks of all kinds become line feeds. What SQL can spell is left alone, quotes and angle brackets included.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HARMFUL.sub(REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))


def fence(text: str, tag: str, longest: int = LONGEST_TEXT) -> Fenced:
    """The text between <tag> and </tag>, each on a line of its own.

    Nothing inside is escaped, so that literals can be copied into SQL as they are. A text that holds a tag of this
    name itself, in whatever case, spacing or width, gets a tag with a number that does not occur in it: <tag-2>. Blank
    text gives '' and texts of more than `longest` characters are cut, both before they are fenced.
    """
    kept = cut(harmless(text), longest).strip("\n")
    if not kept.strip():
        return Fenced("")
    name = f"{tag}{_suffix(kept, tag)}"
    return Fenced(f"<{name}>\n{kept}\n</{name}>")


def cut(text: str, longest: int) -> str:
    """At most so many characters; an ellipsis stands for what is missing."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _suffix(text: str, tag: str) -> str:
    """'' or -N: what keeps the text from closing its fence."""
    if "<" not in text and text.isascii():
        return ""
    taken = [int(n or 1) for name, n in _TAG.findall(unicodedata.normalize("NFKC", text)) if name.casefold() == tag]
    return f"-{max(taken) + 1}" if taken else ""
