"""How far two texts agree, by edit distance (OSA: a transposition is one edit) and Jaro–Winkler.

Sources: Winkler, "String comparator metrics and enhanced decision rules in the Fellegi–Sunter model" (1990);
Boytsov, "Indexing methods for approximate dictionary searching" (2011) for OSA. All functions are symmetric.
"""

from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler

from rapport_customer.domain.matching.levels import CLOSE, DISAGREE, EXACT, MISSING, VERY_CLOSE

_VERY_LIKE: Final = 0.92
_LIKE: Final = 0.80
_SHORT: Final = 4
_ENDINGS: Final = frozenset("aeio")

_jaro_winkler = JaroWinkler.similarity
_edits = OSA.distance


def word_level(a: str, b: str) -> int:
    """Of family names, cities and the like: one slip is very close, in short words an exchange only."""
    if not a or not b:
        return MISSING
    if a == b:
        return EXACT
    edits = _edits(a, b, score_cutoff=2)
    longest = max(len(a), len(b))
    if edits == 1:
        return VERY_CLOSE if longest > _SHORT or (longest == _SHORT and sorted(a) == sorted(b)) else CLOSE
    likeness = _jaro_winkler(a, b)
    if likeness >= _VERY_LIKE:
        return VERY_CLOSE
    if likeness >= _LIKE or (edits == 2 and longest > _SHORT):
        return CLOSE
    return DISAGREE


def given_level(a: str, b: str) -> int:
    """Of given names: as `word_level`, but an initial is close, as are Anna and Hanna; Daniel and Daniela are two."""
    level = word_level(a, b)
    if CLOSE <= level <= VERY_CLOSE:
        if _differ_in_ending(a, b):
            return DISAGREE
        return CLOSE if a[1:] in (b, b[1:]) or a == b[1:] else level
    if level == DISAGREE and (len(a) == 1 or len(b) == 1) and a[0] == b[0]:
        return CLOSE
    return level


def pinyin_level(a: str, b: str) -> int:
    """Of given names in pinyin, where xiaoming and xiaohong are brother and sister: one slip is close, two are not."""
    if not a or not b:
        return MISSING
    if a == b:
        return EXACT
    return CLOSE if _edits(a, b, score_cutoff=1) == 1 else DISAGREE


def line_level(a: str, b: str) -> int:
    """Of streets and districts: spaces do not count, two slips are very close."""
    if not a or not b:
        return MISSING
    if a == b:
        return EXACT
    a, b = a.replace(" ", ""), b.replace(" ", "")
    if a == b:
        return EXACT
    if _edits(a, b, score_cutoff=2) <= 2 < min(len(a), len(b)) - 2:
        return VERY_CLOSE
    return CLOSE if _jaro_winkler(a, b) >= _LIKE + 0.05 else DISAGREE


def digits_level(a: str, b: str) -> int:
    """Of postcodes: one slip is very close."""
    if not a or not b:
        return MISSING
    if a == b:
        return EXACT
    return VERY_CLOSE if _edits(a, b, score_cutoff=1) == 1 else DISAGREE


def number_level(a: str, b: str) -> int:
    """Of house numbers: one without the flat is very close to one with it, one slip is close."""
    if not a or not b:
        return MISSING
    if a == b:
        return EXACT
    if a.startswith(f"{b}-") or b.startswith(f"{a}-"):
        return VERY_CLOSE
    return CLOSE if _edits(a, b, score_cutoff=1) == 1 and min(len(a), len(b)) > 1 else DISAGREE


def date_level(a: str, b: str) -> int:
    """Of dates in eight digits: one slip, or day and month exchanged, is very close; year and month, or day, close."""
    if not a or not b:
        return MISSING
    if a == b:
        return EXACT
    if _edits(a, b, score_cutoff=1) == 1 or (a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]):
        return VERY_CLOSE
    return CLOSE if a[:4] == b[:4] and (a[4:6] == b[4:6] or a[6:] == b[6:]) else DISAGREE


def _differ_in_ending(a: str, b: str) -> bool:
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    if len(longer) == len(shorter):
        return a[:-1] == b[:-1] and a[-1] in _ENDINGS and b[-1] in _ENDINGS
    return longer[:-1] == shorter and longer[-1] in _ENDINGS
