"""Normal forms and keys of identifiers."""

import hmac
import re
import unicodedata
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from rapport_shared.normalisation.forms import NormalForm, compact, fold, form

CACHED: Final = 16_384
"""Parsing a phone number costs 100 µs, and the callers of an hour are far fewer than its touchpoints."""

_CARD_SEPARATORS = re.compile(r"[\s\-._·]+")
_SPACE = re.compile(r"\s+")
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
            return form(value, compact(fold(value).upper(), _CARD_SEPARATORS))
        case "device":
            return form(value, fold(value))
        case "external" | "social" if system:
            return _of_system(type, value, system)
        case "external" | "social":
            raise ValueError(f"an identifier of type {type} needs its system")
        case _:
            raise ValueError("unknown type of identifier")


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
    """E.164. What is no number in `region` is kept folded and flagged `unparsed`, a doubtful number `not_in_plan`."""
    folded = compact(value, _SPACE)
    written = folded.removeprefix("tel:")
    if region is None and written.startswith("00"):
        written = f"+{written[2:]}"
    number = _possible_number(written, region)
    if number is None:
        return form(value, folded, "unparsed")
    flags = ["extension_dropped"] if number.extension else []
    number.extension = None
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number):
        # A doubtful number may read otherwise once it is written out (0000 in Germany): then it is none.
        if _possible_number(normal, None) != number:
            return form(value, folded, "unparsed")
        flags.append("not_in_plan")
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
        return form(value, folded.casefold(), "unparsed")
    local = unicodedata.normalize("NFC", address.local_part.casefold())
    flags = ("display_name_dropped",) if address.display_name else ()
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
    return form(value, f"{prefix}:{record}", *(() if record else ("empty",)))
