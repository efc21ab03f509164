"""The reasons of a merge candidate in words, English and Chinese."""

from typing import Final

from rapport_customer.domain.matching import Field, Guard
from rapport_customer.domain.matching.levels import LEVELS
from rapport_customer.domain.matching.reasons import guard_reason, level_reason
from rapport_shared.contracts.customer import CandidateReason

GUARD: Final = "guard"
_HELD: Final = ("stated", "verified")
_TYPES: Final = {
    "external": ("record of another system", "外部系统记录"),
    "phone": ("phone number", "电话号码"),
    "email": ("e-mail address", "电子邮箱"),
    "card": ("card", "会员卡"),
    "social": ("account", "社交账号"),
    "device": ("device", "设备"),
}


def in_words(reason: CandidateReason) -> tuple[str, str]:
    """The sentence of a reason; its codes where a later version made it and this one has no words for it."""
    if reason.field == GUARD and reason.level in set(Guard):
        found = guard_reason(Guard(reason.level))
        return found.english, found.chinese
    if reason.level in _HELD and reason.field in _TYPES:
        english, chinese = _TYPES[reason.field]
        if reason.level == "verified":
            return f"Both hold the same {english}, and one has verified it.", f"双方持有同一{chinese}，其中一方已验证。"
        return f"Both hold the same {english}.", f"双方持有同一{chinese}。"
    if reason.field in set(Field) and reason.level in LEVELS:
        words = level_reason(Field(reason.field), LEVELS.index(reason.level), 0.0)
        return words.english, words.chinese
    return f"{reason.field}: {reason.level}", f"{reason.field}：{reason.level}"
