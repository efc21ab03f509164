"""What a column's name says of its content, in English and Chinese; and the sheet to begin with."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from rapport_gateway.imports.mapping import FieldName, SheetColumn, SheetMapping
from rapport_gateway.imports.own_columns import headers_of, names_of, own_columns
from rapport_shared.own_fields import UNDECLARED, OwnRules

TEMPLATE: Final[tuple[tuple[FieldName, str, str], ...]] = (
    ("record", "Customer number", "客户编号"),
    ("kind", "Kind", "类型"),
    ("name", "Name", "姓名"),
    ("family_name", "Family name", "姓"),
    ("given_name", "Given name", "名"),
    ("phone", "Phone", "手机"),
    ("email", "E-mail", "邮箱"),
    ("card", "Card number", "会员卡号"),
    ("birth_date", "Birth date", "生日"),
    ("language", "Language", "语言"),
    ("country", "Country", "国家"),
    ("address_region", "Province", "省份"),
    ("city", "City", "城市"),
    ("district", "District", "区县"),
    ("street", "Street", "街道"),
    ("postcode", "Postcode", "邮编"),
    ("address", "Address", "地址"),
    ("industry", "Industry", "行业"),
    ("size", "Company size", "规模"),
    ("region", "Sales region", "区域"),
    ("occurred_at", "As of", "更新时间"),
)
"""Every attribute that a profile has, with its name in English and in Chinese."""

_FURTHER: Final[dict[FieldName, str]] = {
    "record": "id, customer id, customer no, customer code, record, record id, account number, kunde, 编号, 客户号, "
    "客户代码, 客户id, 会员编号, 会员号",
    "kind": "customer type, party type, 客户类型, 客户类别",
    "name": "full name, customer, customer name, display name, contact, contact name, company, company name, 名称, "
    "客户, 客户姓名, 客户名称, 公司, 公司名称, 单位名称, 联系人, 中文名",
    "family_name": "last name, surname, family, 姓氏",
    "given_name": "first name, given, forename, 名字",
    "phone": "mobile, mobile phone, cell, cell phone, telephone, tel, phone number, mobile number, 电话, 手机号, "
    "手机号码, 电话号码, 移动电话, 联系电话, 联系方式, 座机, 固定电话",
    "email": "mail, email address, e mail address, 电子邮件, 电子邮箱, 邮件, 邮箱地址, 邮件地址",
    "card": "card, card no, loyalty card, membership card, 卡号, 会员卡",
    "birth_date": "birthday, birthdate, date of birth, dob, born, 出生日期, 出生年月日, 生日日期",
    "language": "lang, 语种",
    "country": "country code, 国别",
    "address_region": "state, region state, county, 省, 省市",
    "city": "town, 市, 所在城市",
    "district": "borough, 区, 县, 地区",
    "street": "street address, road, 详细地址, 路",
    "postcode": "zip, zip code, postal code, post code, 邮政编码",
    "address": "full address, postal address, mailing address, 联系地址, 通讯地址, 住址, 家庭地址, 公司地址",
    "industry": "branch, sector, 所属行业",
    "size": "employees, 公司规模, 人数",
    "region": "territory, 销售区域, 大区",
    "occurred_at": "updated at, last updated, modified, changed at, 更新日期, 修改时间, 最后更新",
}
_RELATIONS: Final = {
    "employer": "employer, employer id, employer no, company id, company no, 雇主, 雇主编号, 公司编号, 单位编号, "
    "所属公司编号",
    "parent": "parent, parent id, parent company id, 母公司编号, 上级编号, 上级客户编号",
    "household": "household, household id, family id, 家庭编号, 户号",
}
_SIGNS = re.compile(r"[\s_\-./:：()（）*#]+")


def _plain(header: str) -> str:
    return _SIGNS.sub("", header).casefold()


_FIELDS: Final[dict[str, FieldName]] = {
    **{_plain(word): field for field, words in _FURTHER.items() for word in words.split(", ")},
    **{_plain(name): field for field, *names in TEMPLATE for name in names},
}
_RELATION_TYPES: Final = {_plain(word): type_ for type_, words in _RELATIONS.items() for word in words.split(", ")}


def template(rules: OwnRules, language: Literal["en", "zh"]) -> list[str]:
    """The header of a sheet to begin with: every attribute of a profile, the deployment's own among them."""
    known = [english if language == "en" else chinese for _, english, chinese in TEMPLATE]
    return [*known, *headers_of(own_columns(rules), language, frozenset(known))]


def propose(headers: Sequence[str], header_row: int = 1, rules: OwnRules = UNDECLARED) -> SheetMapping | None:
    """What the names say: the first column of a name for a field with room for one. None where no name is known.

    The caller handles a header that occurs twice.
    """
    own = {_plain(known): name for name, field in own_columns(rules).items() for known in names_of(name, field)}
    taken: set[tuple[FieldName, str | None]] = set()
    columns: list[SheetColumn] = []
    for header in headers:
        column = _proposed(header, own)
        if column is None or headers.count(header) > 1:
            continue
        if (column.field, column.name) in taken and column.field not in ("phone", "email", "card", "relation"):
            continue
        taken.add((column.field, column.name))
        columns.append(column)
    return SheetMapping(columns=tuple(columns), header_row=header_row) if columns else None


def _proposed(header: str, own: Mapping[str, str]) -> SheetColumn | None:
    relation = _RELATION_TYPES.get(_plain(header))
    if relation is not None:
        return SheetColumn(column=header, field="relation", type=relation)
    field = _FIELDS.get(_plain(header))
    if field is None and (name := own.get(_plain(header))) is not None:
        return SheetColumn(column=header, field="attribute", name=name)
    if field is None:
        field = _FIELDS.get(re.sub(r"\d+$", "", _plain(header)))
        if field not in ("phone", "email", "card"):
            return None
    return SheetColumn(column=header, field=field)
