"""The reasons for or against a match, as data and in words. They never contain personal values."""

from dataclasses import dataclass
from typing import Final

from rapport_customer.domain.matching.guards import Guard
from rapport_customer.domain.matching.levels import LEVELS, Field


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `code` is stable; `field` and `level` are empty at a guard, whose `weight` is 0."""

    code: str
    field: str
    level: str
    weight: float
    english: str
    chinese: str


_FIELDS: Final = {
    Field.FAMILY: ("family names", "姓氏"),
    Field.GIVEN: ("given names", "名字"),
    Field.NAME: ("names", "名称"),
    Field.BIRTH_DATE: ("birth dates", "出生日期"),
    Field.STREET: ("streets", "街道"),
    Field.NUMBER: ("house numbers", "门牌号"),
    Field.DISTRICT: ("districts", "区县"),
    Field.CITY: ("cities", "城市"),
    Field.POSTCODE: ("postcodes", "邮政编码"),
    Field.REGION: ("regions", "省份"),
    Field.PHONE: ("phone numbers", "电话号码"),
    Field.EMAIL: ("e-mail addresses", "电子邮箱"),
    Field.ACCOUNT: ("cards or accounts", "会员卡或账号"),
}
_LEVELS: Final = {
    "exact": ("The {} are the same.", "{}相同。"),
    "very_close": ("The {} are nearly the same.", "{}几乎相同。"),
    "close": ("The {} are similar.", "{}相近。"),
    "disagree": ("The {} differ.", "{}不同。"),
}
_GUARDS: Final = {
    Guard.KIND: ("One is a person, the other is not.", "一方是个人，另一方不是。"),
    Guard.HOUSEHOLD: (
        "Given names differ and no birth date agrees: they may be relatives.",
        "名字不同，且没有一致的出生日期：可能是亲属。",
    ),
    Guard.GIVEN_NAME: ("The given names do not show that they are one person.", "名字不足以说明是同一个人。"),
    Guard.FAMILY_NAME: ("The family names do not show that they are one person.", "姓氏不足以说明是同一个人。"),
    Guard.BIRTH_DATE: ("Their registered birth dates differ.", "登记的出生日期不同。"),
    Guard.UNCONFIRMED: (
        "No birth date and no contact confirms what name and address suggest.",
        "没有出生日期或联系方式印证姓名和地址。",
    ),
    Guard.COMPANY_NAME: ("Their names or legal forms are not the same.", "名称或公司类型不一致。"),
    Guard.COMPANY_PLACE: ("Neither address nor contact confirms the name.", "没有地址或联系方式印证名称。"),
}


def level_reason(field: Field, level: int, weight: float) -> Reason:
    """The reason of a field's level, with its weight in bits."""
    (english, chinese), (in_english, in_chinese) = _FIELDS[field], _LEVELS[LEVELS[level]]
    return Reason(
        f"{field}_{LEVELS[level]}",
        field,
        LEVELS[level],
        round(weight, 2),
        in_english.format(english),
        in_chinese.format(chinese),
    )


def guard_reason(guard: Guard) -> Reason:
    """The reason of a guard."""
    return Reason(f"guard_{guard}", "", "", 0.0, *_GUARDS[guard])
