"""Placeholders: values that people and programs write when they know no value. A placeholder is no evidence."""

import re
from typing import Final

WORDS: Final = frozenset(
    {
        *("n/a", "n.a.", "na", "#n/a", "nan", "nil", "none", "null", "undefined", "unknown", "test", "guest"),
        *("anonymous", "private", "withheld", "restricted", "unavailable", "blocked", "no number", "no caller id"),
        *("无", "無", "暂无", "没有", "未知", "不详", "匿名", "游客", "访客", "测试", "隐藏号码", "微信用户"),
    }
)
MAILBOXES: Final = frozenset(
    {
        *("test", "guest", "none", "null", "undefined", "unknown", "nobody", "anonymous", "na", "n/a"),
        *("noreply", "no-reply", "donotreply", "do-not-reply", "postmaster", "mailer-daemon"),
    }
)
"""Local parts of e-mail addresses that are nobody's own at any domain."""
WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"})
"""What telephone systems send for a withheld caller: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE on a dial."""
_JOINED: Final = frozenset(word.replace(" ", "") for word in WORDS)
"""As normal forms that keep no spaces have them."""
_COUNTED: Final = frozenset({"12345678", "123456789", "1234567890"})
_SIGN: Final = re.compile(r"[^\W_]")
_MIN_DIGITS: Final = 6


def is_placeholder(text: str) -> bool:
    """Whether a folded text is a placeholder: a known word such as "n/a", only zeros, or no letter and no digit."""
    word = text.casefold()
    return word in WORDS or word in _JOINED or not _SIGN.search(text) or not text.strip("0")


def is_placeholder_number(normal: str, national: str) -> bool:
    """Whether a phone number that no country issues is one that people invent or telephone systems send.

    `normal` is its E.164 form, `national` its digits without the country code. A number that a country issues may be
    somebody's, whatever it looks like.
    """
    digits = national.lstrip("0")
    invented = len(set(digits)) <= 1 and len(national) >= _MIN_DIGITS
    return invented or digits in _COUNTED or normal in WITHHELD


def is_placeholder_mailbox(local: str) -> bool:
    """Whether the local part of an e-mail address, without case, is nobody's own."""
    return local in MAILBOXES or is_placeholder(local)
