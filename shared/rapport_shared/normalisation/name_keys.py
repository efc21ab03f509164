"""What names are compared by: family and given name in small Latin letters, Chinese ones read as pinyin.

`王小明`, `Wang Xiaoming`, `Xiaoming Wang` and `WANG, Xiao Ming` all have the family name `wang` and the given name
`xiaoming`. Titles and legal forms are taken out, accents and case are not compared.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from rapport_shared.normalisation.chinese_names import (
    HAN,
    fold_umlaut,
    has_han,
    reading,
    split_surname,
    surname_pinyin,
    surname_readings,
    syllables,
)
from rapport_shared.normalisation.forms import fold
from rapport_shared.normalisation.names import normalise_name

Script = Literal["han", "latin", "mixed", "other"]

SURE, LIKELY, GUESSED = 1.0, 0.8, 0.5
"""`sure`: the source has said what is family and given name, a rule that seldom errs has, or nothing has."""

_TITLES: Final = frozenset(
    ("mr", "mrs", "ms", "miss", "mister", "dr", "doctor", "prof", "professor", "sir", "herr", "frau", "dipl", "ing")
)
_SUFFIXES: Final = frozenset(["phd", "md", "mba", "msc"])
_HAN_TITLE = re.compile(
    r"(先生|女士|小姐|太太|夫人|同志|老师|老師|教授|博士|医生|醫生|律师|律師|经理|經理|总经理|董事长|阿姨|师傅|師傅)+$"
)
_WORD = re.compile(r"[^\W_]+")
_MUCH_COMMONER: Final = 10
_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "a", "œ": "o", "ı": "i", "þ": "th", "ð": "d"})
_UMLAUT = re.compile(r"(?<=[aou])e+(?!$)")
_IN_WORDS = str.maketrans("", "", "'’‘`´ʼ.·•・‧∙")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name as it is compared; all parts may be empty, and normalising `display` again gives it again.

    `other_family` is another reading of the Chinese surname. `han_family` and `han_given` are the characters, where
    the name is written in them alone. `flags`: `title_dropped`, `split_guessed`, `order_unsure`, `family_only`.
    """

    script: Script
    family: str
    given: str
    other_family: str = ""
    han_family: str = ""
    han_given: str = ""
    flags: tuple[str, ...] = ()
    sure: float = SURE

    @property
    def is_pinyin(self) -> bool:
        """Whether the given name can be read as pinyin, so that every syllable tells names apart."""
        return bool(self.han_given) or (self.family in surname_pinyin() and bool(syllables(self.given)))

    @property
    def letters(self) -> str:
        """The letters of the whole name, sorted: the same whatever the order and the spaces between its parts."""
        return "".join(sorted(self.family + self.given))


def script_of(text: str) -> Script:
    """Whether `text` is written in Chinese characters, Latin letters, both, or neither."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "other"
    han = latin = other = False
    for sign in text:
        if HAN.match(sign):
            han = True
        elif sign.isalpha():
            is_latin = sign.isascii() or unicodedata.name(sign, "").startswith("LATIN")
            latin, other = latin or is_latin, other or not is_latin
    if other:
        return "mixed" if han or latin else "other"
    if han:
        return "mixed" if latin else "han"
    return "latin" if latin else "other"


def person_name(display: str | None, family: str | None = None, given: str | None = None) -> PersonName:
    """What a person's name is compared by. Given parts are used as they are; a display name alone is split."""
    if family and given:
        return _of_parts(normalise_name(family).normal, normalise_name(given).normal)
    whole = normalise_name(display or family or given or "").normal
    bare, dropped = without_titles(whole)
    found = _of_display(bare)
    if family and not display:
        found = PersonName(found.script, found.family + found.given, "", flags=("family_only",))
    return _flagged(found, "title_dropped") if dropped else found


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text` in small letters without accents, the umlauts of German and of pinyin as one letter."""
    plain = fold(text).casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain.translate(_LETTERS))
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
        plain = unicodedata.normalize("NFKC", plain)
    return tuple(map(_without_umlaut, _WORD.findall(plain.translate(_IN_WORDS))))


def without_titles(name: str) -> tuple[str, bool]:
    """The name without titles and degrees, and whether there were any; a name of titles alone is kept."""
    bare = _HAN_TITLE.sub("", name) if has_han(name) else name
    parts = [part for part in bare.split(" ") if part.strip(".,").casefold() not in _TITLES | _SUFFIXES]
    bare = " ".join(parts).strip(" ,")
    return (bare, bare != name) if bare else (name, False)


def _of_parts(family: str, given: str) -> PersonName:
    if script_of(family) == script_of(given) == "han":
        return replace(_of_han(family, without_titles(given)[0], known=True), sure=SURE)
    given = without_titles(given)[0]
    return PersonName(script_of(family + given), _joined(family), _joined(given))


def _of_display(name: str) -> PersonName:
    script = script_of(name)
    if script == "han":
        parts = [part for part in re.split(r"[ ·•・‧∙,]", name) if part]
        whole = "".join(parts)
        return _of_han(*split_surname(whole)) if len(parts) < 2 else PersonName(script, "", reading(whole))
    if script == "mixed" and has_han(name):
        han = "".join(HAN.findall(name))
        return _flagged(_of_display(han), "split_guessed") if len(han) > 1 else _of_words(name, script)
    return _of_words(name, script)


def _of_han(family: str, given: str, known: bool) -> PersonName:
    readings = surname_readings(family) if family else ("",)
    flags = (() if known else ("split_guessed",)) + (() if given else ("family_only",))
    return PersonName(
        "han",
        readings[0],
        reading(given),
        readings[1] if len(readings) > 1 else "",
        family,
        given,
        flags,
        LIKELY if known else GUESSED,
    )


def _of_words(name: str, script: Script) -> PersonName:
    before, comma, after = name.partition(",")
    if comma and before.strip() and after.strip():
        return PersonName(script, _joined(before), _joined(after), sure=LIKELY)
    words = tuple(word for part in name.split(" ") if (word := _joined(part)))
    if len(words) < 2:
        return PersonName(script, "", "".join(words), flags=("split_guessed",) if words else (), sure=GUESSED)
    if all(map(syllables, words)):
        return _of_pinyin(words, script)
    return PersonName(script, words[-1], "".join(words[:-1]), flags=("split_guessed",), sure=LIKELY)


def _of_pinyin(words: tuple[str, ...], script: Script) -> PersonName:
    """Chinese in Latin letters: the family name comes first, or last as in the West.

    Where both words are surnames the first one is taken, unless the last is much commoner.
    """
    first, last = surname_pinyin().get(words[0]), surname_pinyin().get(words[-1])
    if first is None and last is None:
        return PersonName(script, words[-1], "".join(words[:-1]), flags=("split_guessed",), sure=GUESSED)
    in_front = last is None or (first is not None and first <= (last + 1) * _MUCH_COMMONER)
    family, given = (words[0], words[1:]) if in_front else (words[-1], words[:-1])
    unsure = first is not None and last is not None
    flags = ("order_unsure",) if unsure else ()
    return PersonName(script, family, "".join(given), flags=flags, sure=GUESSED if unsure else LIKELY)


def joined(words: Sequence[str]) -> str:
    """The words as one, in which an umlaut may have come together."""
    return words[0] if len(words) == 1 else "".join(words_of("".join(words)))


def _joined(text: str) -> str:
    return joined([reading(word) if has_han(word) else word for word in words_of(text)])


def _without_umlaut(word: str) -> str:
    if not word.isascii():
        return word
    pinyin = fold_umlaut(word)
    if pinyin != word and syllables(pinyin):
        return pinyin
    return word if _UMLAUT.search(word) is None or syllables(word) else _UMLAUT.sub("", word)


def _flagged(name: PersonName, flag: str) -> PersonName:
    return replace(name, flags=(*name.flags, flag))
