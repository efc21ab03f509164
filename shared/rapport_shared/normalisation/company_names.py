"""What company names are compared by: the words without the legal form, which is kept beside them."""

import re
from dataclasses import dataclass
from typing import Final

from rapport_shared.normalisation.chinese_names import has_han
from rapport_shared.normalisation.forms import fold
from rapport_shared.normalisation.name_keys import joined, words_of

_HAN_FORM = re.compile(
    r"(股份有限公司|有限责任公司|有限責任公司|有限公司|株式会社|合同会社|有限合伙|普通合伙|个体工商户)(?=分公司|[^\u3400-\u9fff]|$)|"
    r"(股份有限公司|有限责任公司|有限責任公司|有限公司)"
)
_CANONICAL: Final = {
    "limited": "ltd", "ltd": "ltd", "incorporated": "inc", "inc": "inc", "corporation": "corp", "corp": "corp",
    "gmbh": "gmbh", "ag": "ag", "kg": "kg", "ug": "ug", "ohg": "ohg", "ev": "ev", "se": "se", "llc": "llc",
    "llp": "llp", "lp": "lp", "plc": "plc", "pty": "pty", "sa": "sa", "sas": "sas", "sarl": "sarl", "spa": "spa",
    "srl": "srl", "bv": "bv", "nv": "nv", "ab": "ab", "oy": "oy", "oyj": "oyj", "aps": "aps", "kk": "kk",
    "有限公司": "ltd", "有限责任公司": "ltd", "有限責任公司": "ltd", "股份有限公司": "plc", "株式会社": "kk",
    "合同会社": "llc", "有限合伙": "lp", "普通合伙": "partnership", "个体工商户": "sole",
}  # fmt: skip
_BESIDE_A_FORM: Final = frozenset({"co", "company", "and", "the"})


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company's name as it is compared, and its legal form in a common word, empty where none is written."""

    name: str
    legal: str
    flags: tuple[str, ...] = ()

    @property
    def looks_like_company(self) -> bool:
        """Whether a legal form says so."""
        return bool(self.legal)


def company_name(display: str) -> CompanyName:
    """What a company's name is compared by. A branch (分公司) stays part of the name, for it is another party."""
    bare, legal = _without_han_form(fold(display))
    words = words_of(bare)
    kept = list(words)
    while len(kept) > 1 and (kept[-1] in _CANONICAL or (kept[-1] in _BESIDE_A_FORM)):
        legal = _CANONICAL.get(kept.pop(), "") or legal
    kept = [word for word in kept if word not in _BESIDE_A_FORM] or kept
    return CompanyName(joined(kept), legal, ("legal_form_dropped",) if legal else ())


def _without_han_form(name: str) -> tuple[str, str]:
    """The name without forms written in Chinese, and the last one of them; a form alone is a name."""
    legal = ""
    while has_han(name) and (found := _HAN_FORM.search(name)):
        bare = fold(name[: found.start()] + name[found.end() :])
        if not bare:
            break
        name, legal = bare, _CANONICAL[found.group()]
    return name, legal
