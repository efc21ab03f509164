"""What a normaliser answers, and the folding that all of them begin with."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

NORM_VERSION: Final = 1
"""The version of the rules. It rises with a change, so that stored forms of earlier rules can be found and replaced."""

UNUSABLE: Final = frozenset({"unparsed", "empty", "placeholder"})
"""Flags of a value that identifies nobody: it is kept, but leads nowhere."""

_SPACE = re.compile(r"\s+")
_INVISIBLE = ("Cc", "Cf")


@dataclass(frozen=True, slots=True)
class NormalForm:
    """A value as it came and as it is compared. `flags` say what was noticed; a flag refuses nothing.

    Normalising `normal` again gives `normal`.
    """

    raw: str
    normal: str
    flags: tuple[str, ...] = ()
    norm_version: int = NORM_VERSION

    @property
    def usable(self) -> bool:
        """Whether somebody can be found by it."""
        return UNUSABLE.isdisjoint(self.flags)

    @property
    def changed(self) -> bool:
        """Whether the normal form is spelt differently."""
        return self.raw != self.normal


def fold(text: str) -> str:
    """`text` with one width for every character, without invisible ones, white space collapsed and trimmed."""
    folded = unicodedata.normalize("NFKC", text)
    if not folded.isascii() or not folded.isprintable():
        folded = "".join(sign for sign in folded if sign.isspace() or unicodedata.category(sign) not in _INVISIBLE)
        folded = unicodedata.normalize("NFKC", folded)
    return _SPACE.sub(" ", folded).strip()


def form(raw: str, normal: str, *flags: str) -> NormalForm:
    """The normal form, flagged `empty` where nothing is left."""
    return NormalForm(raw, normal, flags if normal else (*flags, "empty"))


def compact(text: str, separators: re.Pattern[str]) -> str:
    """`fold` without `separators`; folded once more, for signs that they kept apart may now combine."""
    return fold(separators.sub("", fold(text)))
