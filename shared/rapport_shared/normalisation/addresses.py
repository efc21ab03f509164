"""Postal addresses in a form that can be compared: small letters, no accents, the number of the house apart.

What a source writes in one line is taken apart for mainland China alone, where suffixes say what a part is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapport_shared.normalisation.chinese_names import has_han
from rapport_shared.normalisation.forms import fold
from rapport_shared.normalisation.name_keys import words_of

_MUNICIPALITIES: Final = ("北京", "上海", "天津", "重庆")
_PROVINCES: Final = (
    "黑龙江|内蒙古|河北|山西|辽宁|吉林|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|台湾|广西|西藏|宁夏|新疆|香港|澳门"
)
_PROVINCE = re.compile(
    rf"(?:中国)?({_PROVINCES}|{'|'.join(_MUNICIPALITIES)})"
    r"(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)?"
)
_CITY = re.compile(r"([\u3400-\u9fff]{2,8}?(?:市(?!场)|自治州|地区|盟))")
_DISTRICT = re.compile(r"([\u3400-\u9fff]{1,8}?(?:自治县|新区|区(?!间)|县|旗|市(?!场)))")
_HAN_STREET = re.compile(r"(.*?(?:路|街|大道|道|巷|胡同|里|村|镇|弄))(\d+[\d\-]*)(?:号|弄)?(.*)", re.DOTALL)
_ADMINISTRATIVE = re.compile(r"(特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|自治州|自治县|地区|省|市|区|县)$")
_NOT_WRITTEN = re.compile(r"[\W_]+")
_HOUSE: Final = r"\d+[a-z]?(?:[-/]\d+[a-z]?)?"
_ONLY_NUMBER = re.compile(_HOUSE)
_NUMBER = re.compile(rf"(?P<first>{_HOUSE})\s+(?P<rest>\D.*)|(?P<street>\D.*?)\s+(?P<last>{_HOUSE})")
_WRITTEN_OUT: Final = {
    "st": "street", "str": "strasse", "rd": "road", "av": "avenue", "ave": "avenue", "blvd": "boulevard",
    "dr": "drive", "ln": "lane", "pl": "place", "ct": "court", "crt": "court", "cres": "crescent", "cct": "circuit",
    "sq": "square", "tce": "terrace", "hwy": "highway", "pde": "parade", "cl": "close",
}  # fmt: skip
_STRASSE = re.compile(r"(?<=\w\w\w)str$")
_COUNTRIES: Final = {"中国": "CN", "china": "CN", "deutschland": "DE", "germany": "DE", "usa": "US"}


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address as it is compared; what is not known is empty.

    `flags`: `parsed` where parts were read from one line, `parts_guessed` where that may be wrong. Normalising the
    parts again, `line` as the street, gives them again.
    """

    country: str = ""
    region: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    number: str = ""
    postcode: str = ""
    flags: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Street and number as one line."""
        return f"{self.street} {self.number}".strip()

    @property
    def empty(self) -> bool:
        """Whether nothing of a place is known."""
        return not (self.region or self.city or self.district or self.street or self.postcode)


def postal_address(
    *,
    country: str | None = None,
    region: str | None = None,
    city: str | None = None,
    district: str | None = None,
    street: str | None = None,
    postcode: str | None = None,
    raw: str | None = None,
) -> PostalAddress:
    """The comparable form of an address; never raises. `raw` is read only where there are no parts."""
    flags: tuple[str, ...] = ()
    if raw and not (region or city or district or street):
        region, city, district, street, flags = _parsed(fold(raw))
    name, number = _street_and_number(fold(street or ""))
    return PostalAddress(
        _country(country),
        _area(region),
        _area(city),
        _area(district),
        name,
        number,
        _NOT_WRITTEN.sub("", fold(postcode or "")).upper(),
        flags,
    )


def _parsed(raw: str) -> tuple[str, str, str, str, tuple[str, ...]]:
    """Region, city, district and the rest of one line; a line that does not begin with a province is all street."""
    line = raw.replace(" ", "")
    province = _PROVINCE.match(line)
    if not has_han(raw) or province is None:
        return "", "", "", raw, ("parsed", "parts_guessed")
    region, rest = province.group(1), line[province.end() :]
    city, rest = (region, rest) if region in _MUNICIPALITIES else _taken(_CITY, rest)
    if city == region and rest.startswith(f"{city}市"):
        rest = rest[len(city) + 1 :]
    district, rest = _taken(_DISTRICT, rest)
    certain = bool(city and district and province.group(2))
    return region, city, district, rest, ("parsed",) if certain else ("parsed", "parts_guessed")


def _taken(pattern: re.Pattern[str], line: str) -> tuple[str, str]:
    found = pattern.match(line)
    return (found.group(1), line[found.end() :]) if found else ("", line)


def _street_and_number(street: str) -> tuple[str, str]:
    if has_han(street):
        found = _HAN_STREET.fullmatch(street.replace(" ", ""))
        if found:
            inside = re.findall(r"\d+", found.group(3))
            return "".join(words_of(found.group(1))), "-".join([found.group(2).strip("-"), *inside])
        return "".join(words_of(street)), ""
    words = _written_out(words_of(street))
    found = _NUMBER.fullmatch(words)
    if found is None:
        return ("", words) if _ONLY_NUMBER.fullmatch(words) else (words, "")
    return (found["rest"], found["first"]) if found["first"] else (found["street"], found["last"])


def _written_out(words: Sequence[str]) -> str:
    """Kinds of streets in full, but for a first word: St James is a saint."""
    written = [word if place == 0 else _WRITTEN_OUT.get(word, word) for place, word in enumerate(words)]
    return " ".join(_STRASSE.sub("strasse", word) for word in written)


def _area(name: str | None) -> str:
    words = words_of(name or "")
    if not words or not has_han(words[0]):
        return " ".join(words)
    area = "".join(words)
    bare = _ADMINISTRATIVE.sub("", area)
    return bare if len(bare) > 1 else area


def _country(country: str | None) -> str:
    folded = fold(country or "")
    return _COUNTRIES.get(folded.casefold(), folded.upper())
