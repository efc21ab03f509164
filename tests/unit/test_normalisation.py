"""Normal forms: one spelling for many, nothing refused, nothing changed twice."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapport_shared.normalisation import (
    NORM_VERSION,
    NormalForm,
    identifier_key,
    normalise_asset_key,
    normalise_birth_date,
    normalise_email,
    normalise_identifier,
    normalise_name,
    normalise_phone,
    normalise_plate,
    normalise_serial,
    system_and_record,
)

PHONE_LIKE = st.text(alphabet="0123456789+-() ．－０１８９x;ext=.tel:#", max_size=30)
EMAIL_LIKE = st.from_regex(r"[A-Za-z0-9.+_äßİ王]{1,12}@[A-Za-z0-9\-äß王]{1,12}\.[a-z]{1,6}", fullmatch=True)


@pytest.mark.parametrize(
    ("value", "region", "normal"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("１３８－００１３－８０００", "CN", "+8613800138000"),
        ("+86 (138) 0013.8000", None, "+8613800138000"),
        ("0086-13800138000", None, "+8613800138000"),
        ("8613800138000", "CN", "+8613800138000"),
        ("tel:+86-138-0013-8000", "DE", "+8613800138000"),
        ("021-62345678", "CN", "+862162345678"),
        ("030 901820", "DE", "+4930901820"),
        ("\u202a13800138000\u202c", "CN", "+8613800138000"),
    ],
)
def test_phones_become_e164(value: str, region: str | None, normal: str) -> None:
    form = normalise_phone(value, region)
    assert (form.normal, form.raw, form.norm_version) == (normal, value, NORM_VERSION)
    assert form.usable


@pytest.mark.parametrize("value", ["anonymous", "13800138000", "1", "", "+", "00", "call me", "9" * 400])
def test_a_phone_that_cannot_be_read_is_kept_and_leads_nowhere(value: str) -> None:
    form = normalise_phone(value, None)
    assert form.raw == value
    assert not form.usable


def test_an_extension_is_dropped_and_said() -> None:
    form = normalise_phone("021-62345678 ext. 12", "CN")
    assert (form.normal, form.flags) == ("+862162345678", ("extension_dropped",))


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("Li.Wei+Shop@Example.COM", "li.wei+shop@example.com"),
        (" mailto:a@b.cn ", "a@b.cn"),
        ("王小明＠例子.中国", "王小明@例子.中国"),
        ("a@xn--fsqu00a.xn--fiqs8s", "a@例子.中国"),
        ("Wang <w@example.com>", "w@example.com"),
    ],
)
def test_emails_are_compared_without_case(value: str, normal: str) -> None:
    form = normalise_email(value)
    assert form.normal == normal
    assert form.usable


@pytest.mark.parametrize("value", ["", "nobody", "@", "a@", "a b@c.de", "a@@b.cn", "x" * 400 + "@b.cn"])
def test_an_email_that_is_none_is_kept_and_leads_nowhere(value: str) -> None:
    assert not normalise_email(value).usable


@pytest.mark.parametrize("value", ["沪A·12345", "沪a 12345", "沪Ａ-１２３４５", " 沪A.12345 "])
def test_plates_have_one_spelling(value: str) -> None:
    assert normalise_plate(value) == NormalForm(value, "沪A12345")


def test_a_plate_of_another_country_is_flagged_only() -> None:
    assert normalise_plate("b-mw 1234") == NormalForm("b-mw 1234", "BMW1234", ("not_chinese",))
    assert normalise_plate("粤BD12345").flags == ()


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        ("1M8GDM9AXKP042788", ()),
        ("1m8gdm9a xkp-042788", ()),
        ("1M8GDM9A1KP042788", ("vin_check_digit",)),
        ("1M8GDM9AXKPO42788", ("vin_letter",)),
        ("SN-4711", ()),
    ],
)
def test_vins_are_flagged_never_refused(value: str, flags: tuple[str, ...]) -> None:
    form = normalise_serial(value)
    assert form.flags == flags
    assert form.usable


def test_equal_records_of_two_systems_are_two_identifiers() -> None:
    east = normalise_identifier("external", " C-1001 ", system="erp:east")
    west = normalise_identifier("external", "C-1001", system="erp")
    assert east.normal != west.normal
    assert system_and_record(east.normal) == ("erp:east", "C-1001")
    assert system_and_record(west.normal) == ("erp", "C-1001")


@pytest.mark.parametrize(
    ("type", "value", "system", "normal"),
    [
        ("card", " 6200-1234 ab", None, "62001234AB"),
        ("device", " d-1 ", None, "d-1"),
        ("social", "@WeiLi", "weibo", "weibo:WeiLi"),
    ],
)
def test_other_identifiers(type: str, value: str, system: str | None, normal: str) -> None:
    assert normalise_identifier(type, value, None, system).normal == normal


def test_what_no_identifier_can_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs its system"):
        normalise_identifier("external", "C-1")
    with pytest.raises(ValueError, match="unknown type"):
        normalise_identifier("fax", "1")
    with pytest.raises(ValueError, match="unknown type"):
        normalise_asset_key("engine", "1")
    with pytest.raises(ValueError, match="empty"):
        identifier_key(b"", "phone", "+8613800138000")


def test_a_key_depends_on_secret_type_and_value() -> None:
    keys = {
        identifier_key(secret, type, value)
        for secret in (b"one", b"two")
        for type in ("card", "device")
        for value in ("1", "2")
    }
    assert len(keys) == 8
    # A change of this value would orphan every route of every deployment.
    assert identifier_key(b"key", "phone", "+8613800138000") == (
        "a8bc1135df58835a8220c5a3d5513aebaaba2b419a6dd77fccf111a241ef327c"
    )
    assert {len(key) for key in keys} == {64}


@pytest.mark.parametrize(
    ("value", "normal", "usable"),
    [
        ("1985-03-01", "1985-03-01", True),
        ("1985/3/1", "1985-03-01", True),
        ("19850301", "1985-03-01", True),
        ("１９８５年３月１日", "1985-03-01", True),
        ("03/01/1985", "03/01/1985", False),
        ("1985-02-30", "1985-02-30", False),
        ("属牛", "属牛", False),
    ],
)
def test_birth_dates(value: str, normal: str, usable: bool) -> None:
    form = normalise_birth_date(value)
    assert (form.normal, form.usable) == (normal, usable)


def test_names_keep_case_and_lose_what_is_not_seen() -> None:
    assert normalise_name(" 王 小明\u200b").normal == "王小明"
    assert normalise_name("Ｌｉ\u3000Wei ").normal == "Li Wei"
    assert normalise_name("王小明 Ming").normal == "王小明 Ming"


@given(st.text(max_size=60) | PHONE_LIKE, st.sampled_from([None, "CN", "DE", "US", "IT", "ZZ"]))
@example("0039 02 1234 567", None)
@example("000000", "DE")
@example("0 1", "DE")
def test_a_phone_is_normalised_once(value: str, region: str | None) -> None:
    form = normalise_phone(value, region)
    again = normalise_phone(form.normal, region)
    assert again.normal == form.normal
    assert again.usable == form.usable


@given(st.text(max_size=60) | EMAIL_LIKE)
def test_an_email_is_normalised_once(value: str) -> None:
    form = normalise_email(value)
    again = normalise_email(form.normal)
    assert (again.normal, again.usable) == (form.normal, form.usable)


@given(st.text(max_size=60))
def test_other_forms_are_normalised_once(value: str) -> None:
    for normalise in (normalise_plate, normalise_serial, normalise_name, normalise_birth_date):
        form = normalise(value)
        assert normalise(form.normal).normal == form.normal
    for type in ("card", "device"):
        form = normalise_identifier(type, value)
        assert normalise_identifier(type, form.normal).normal == form.normal


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.sampled_from(["external", "social"]))
def test_system_and_record_are_found_again(system: str, value: str, type: str) -> None:
    form = normalise_identifier(type, value, system=system)
    found_system, record = system_and_record(form.normal)
    assert normalise_identifier(type, record, system=found_system).normal == form.normal
