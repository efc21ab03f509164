"""Normal forms and keys of identifiers."""

import hmac
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from rapport_shared.normalisation.forms import NormalForm, compact, fold, form
from rapport_shared.normalisation.placeholders import (
    WITHHELD,
    is_placeholder,
    is_placeholder_mailbox,
    is_placeholder_number,
)

CACHED: Final = 16_384
"""Parsing a phone number costs 100 µs, and the callers of an hour are far fewer than its touchpoints."""

_CARD_SEPARATORS = re.compile(r"[\s\-._·]+")
_SPACE = re.compile(r"\s+")
_DIGIT = re.compile(r"\d")
_NATIONAL_DIGITS: Final = 5
_COUNTED_ENDS: Final = ("5678", "6789", "7890")
_SYSTEM_SAFE = " !#$&'()*+,-./;<=>?@[]^_`{|}~"


def normalise_identifier(type: str, value: str, region: str | None = None, system: str | None = None) -> NormalForm:
    """The normal form of an identifier. `region` (ISO 3166 alpha-2) reads national phone numbers.

    `system` is required of `external` and `social`: their normal form contains it, so that equal records of two
    systems stay apart (`system_and_record` takes it apart). Raises `ValueError` for an unknown type or a missing
    system; a value is never refused, only flagged.
    """
    match type:
        case "phone":
            return normalise_phone(value, region)
        case "email":
            return normalise_email(value)
        case "card":
            card = compact(fold(value).upper(), _CARD_SEPARATORS)
            return form(value, card, *_nothing(fold(value), card))
        case "device":
            return form(value, fold(value), *_nothing(fold(value)))
        case "external" | "social" if system:
            return _of_system(type, value, system)
        case "external" | "social":
            raise ValueError(f"an identifier of type {type} needs its system")
        case _:
            raise ValueError("unknown type of identifier")


def reads_identifier(type: str, normal: Any) -> bool:
    """Whether a normal form is valid for its type and is no placeholder; an erased value counts as valid."""
    if not isinstance(normal, str):
        return True
    match type:
        case "phone":
            return normal.startswith("+") and (not _looks_invented(normal) or normalise_phone(normal).usable)
        case "email":
            return "@" in normal and not is_placeholder_mailbox(normal.partition("@")[0])
        case "external" | "social":
            return not is_placeholder(fold(system_and_record(normal)[1]))
        case _:
            return not is_placeholder(normal)


def phone_region(stated: str | None, unit: str | None, default: str | None) -> str | None:
    """The region that reads a phone number: the one it names, else its unit's, else the deployment's."""
    return stated or unit or default


def identifier_key(secret: bytes, type: str, normal: str) -> str:
    """What keys, headers and routes may carry of an identifier: HMAC-SHA-256 over `type:normal`, in hex."""
    if not secret:
        raise ValueError("the secret of identifier keys is empty")
    return hmac.digest(secret, f"{type}:{normal}".encode(), "sha256").hex()


def system_and_record(normal: str) -> tuple[str, str]:
    """System and record of the normal form of an `external` or `social` identifier."""
    system, _, record = normal.partition(":")
    return unquote(system), record


@lru_cache(maxsize=CACHED)
def normalise_phone(value: str, region: str | None = None) -> NormalForm:
    """E.164. What is no number in `region` is kept folded and flagged `unparsed`, a doubtful number `not_in_plan`.

    A number that cannot be read because neither it nor the caller names a country is flagged `no_region`, too.
    """
    folded = compact(value, _SPACE)
    written = folded.removeprefix("tel:")
    if region is None and written.startswith("00"):
        written = f"+{written[2:]}"
    number = _possible_number(written, region)
    if number is None:
        return form(value, folded, "unparsed", *_why_unparsed(fold(value), written, region))
    flags = ["extension_dropped"] if number.extension else []
    number.extension = None
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number):
        # A doubtful number may read otherwise once it is written out (0000 in Germany): then it is none.
        if _possible_number(normal, None) != number:
            return form(value, folded, "unparsed", *_nothing(fold(value)))
        flags.append("not_in_plan")
        if is_placeholder_number(normal, phonenumbers.national_significant_number(number)):
            flags.append("placeholder")
    return form(value, normal, *flags)


@lru_cache(maxsize=CACHED)
def normalise_email(value: str) -> NormalForm:
    """The address with the domain in Unicode and all of it without case; dots and plus stay, for they may matter.

    What is no address is kept folded and flagged `unparsed`.
    """
    folded = fold(value)
    written = folded.removeprefix("mailto:")
    try:
        address = validate_email(written, check_deliverability=False, allow_display_name=True, test_environment=True)
    except (EmailNotValidError, UnicodeError):
        return form(value, folded.casefold(), "unparsed", *_nothing(folded))
    local = unicodedata.normalize("NFC", address.local_part.casefold())
    flags = ["display_name_dropped"] if address.display_name else []
    if is_placeholder_mailbox(local):
        flags.append("placeholder")
    return form(value, f"{local}@{address.domain}", *flags)


def _possible_number(written: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _of_system(type: str, value: str, system: str) -> NormalForm:
    record = unicodedata.normalize("NFC", value).strip()
    if type == "social":
        record = fold(value).removeprefix("@").strip()
    prefix = quote(unicodedata.normalize("NFC", system), safe=_SYSTEM_SAFE)
    return form(value, f"{prefix}:{record}", *(_nothing(fold(record) or "-") if record else ("empty",)))


def _nothing(*texts: str) -> tuple[str, ...]:
    """The flag of a value when one of its spellings is a placeholder."""
    return ("placeholder",) if any(text and is_placeholder(text) for text in texts) else ()


def _looks_invented(normal: str) -> bool:
    """Whether a number needs the full check: the check costs 100 µs, and few numbers are invented."""
    return normal in WITHHELD or len(set(normal[-_NATIONAL_DIGITS:])) == 1 or normal.endswith(_COUNTED_ENDS)


def _why_unparsed(folded: str, written: str, region: str | None) -> tuple[str, ...]:
    if written in WITHHELD:
        return ("placeholder",)
    if nothing := _nothing(folded, written):
        return nothing
    national = region is None and not written.startswith("+") and len(_DIGIT.findall(written)) >= _NATIONAL_DIGITS
    return ("no_region",) if national else ()
