"""Normal forms of what finds an asset: serial numbers, VINs among them, and plates."""

import re
from typing import Final

from rapport_shared.normalisation.forms import NormalForm, compact, fold, form

_SEPARATORS = re.compile(r"[\s\-._·•・‧∙/]+")
_CHINESE_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳领使]"
)
_VIN_LENGTH: Final = 17
_FORBIDDEN = frozenset("IOQ")
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_LETTER_VALUES: Final = {
    letter: int(digit) for letter, digit in zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True)
}
"""Source: 49 CFR 565.15, table III."""


def normalise_asset_key(type: str, value: str) -> NormalForm:
    """The normal form of an asset key, `serial` or `plate`. Raises `ValueError` for another type."""
    match type:
        case "serial":
            return normalise_serial(value)
        case "plate":
            return normalise_plate(value)
        case _:
            raise ValueError("unknown type of asset key")


def normalise_plate(value: str) -> NormalForm:
    """Upper case, one width, no separators. Flagged `not_chinese` where it is not of the form of mainland China."""
    normal = compact(fold(value).upper(), _SEPARATORS)
    return form(value, normal, *(() if _CHINESE_PLATE.fullmatch(normal) else ("not_chinese",)))


def normalise_serial(value: str) -> NormalForm:
    """Upper case, one width, no separators.

    Of 17 characters it is read as a VIN (ISO 3779): a letter that VINs do not have is flagged `vin_letter`, a
    check digit that is not right `vin_check_digit`; it is optional outside North America and China.
    """
    normal = compact(fold(value).upper(), _SEPARATORS)
    return form(value, normal, *_vin_flags(normal))


def _vin_flags(serial: str) -> tuple[str, ...]:
    if len(serial) != _VIN_LENGTH or not (serial.isascii() and serial.isalnum()):
        return ()
    if not _FORBIDDEN.isdisjoint(serial):
        return ("vin_letter",)
    return () if serial[8] == _check_digit(serial) else ("vin_check_digit",)


def _check_digit(vin: str) -> str:
    total = sum(
        weight * (int(sign) if sign.isdigit() else _LETTER_VALUES[sign])
        for weight, sign in zip(_WEIGHTS, vin, strict=True)
    )
    return "X" if total % 11 == 10 else str(total % 11)
