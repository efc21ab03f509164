"""In which encoding a text file is written, and how sure that is."""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from rapport_gateway.imports.findings import SheetUnreadable

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]+")
_UNDEFINED_IN_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_SURE, _LIKELY = 0.95, 0.8


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding's name, how sure it is (0 to 1), and whether that is too unsure to go on."""

    name: str
    confidence: float
    ambiguous: bool = False
    marked: bool = False


def sniff(content: bytes) -> Encoding:
    """The encoding of `content`: by its mark, else strict UTF-8, else by the pattern of its high bytes.

    GB18030 writes Chinese in pairs of high bytes; in Latin-1 a high byte is among letters. A file that shows
    neither clearly is ambiguous.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return Encoding(name, 1.0, marked=True)
    if content.isascii():
        return Encoding("utf-8", 1.0)
    if _decodes(content, "utf-8"):
        return Encoding("utf-8", 0.99)
    return _by_high_bytes(content)


def decode(content: bytes, name: str) -> str:
    """The text of `content`, without its mark. Raises `SheetUnreadable` where it is not written in `name`."""
    try:
        return content.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"The file is not written in {name}: the first wrong byte is in line {line}."
        raise SheetUnreadable("wrong_encoding", message) from None


def _by_high_bytes(content: bytes) -> Encoding:
    runs = [len(run) for run in _HIGH.findall(content)]
    alone = sum(1 for run in runs if run == 1) / len(runs)
    paired = sum(1 for run in runs if run % 2 == 0) / len(runs)
    western = "iso-8859-1" if _UNDEFINED_IN_1252.search(content) else "windows-1252"
    if _decodes(content, "gb18030") and paired >= _LIKELY and _is_common_chinese(content):
        return Encoding("gb18030", round(min(paired, 0.98), 2))
    if alone >= _LIKELY:
        return Encoding(western, round(min(alone, 0.9), 2))
    return Encoding("gb18030" if paired > alone else western, round(max(paired, alone) / 2, 2), ambiguous=True)


def _is_common_chinese(content: bytes) -> bool:
    """Whether nearly all signs beyond ASCII are of GB 2312: rare ones are what Latin-1 looks like in GB18030."""
    signs = [sign for sign in content.decode("gb18030") if not sign.isascii()]
    common = sum(1 for sign in signs if _encodes(sign, "gb2312"))
    return common / len(signs) >= _SURE


def _decodes(content: bytes, name: str) -> bool:
    try:
        content.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _encodes(sign: str, name: str) -> bool:
    try:
        sign.encode(name)
    except UnicodeEncodeError:
        return False
    return True
