"""What stands for nothing leads to nobody, whatever type it comes as; what may be somebody's is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.normalisation import normalise_identifier, reads_identifier
from rapport_shared.normalisation.placeholders import MAILBOXES, WITHHELD, WORDS

NOTHING = st.one_of(
    st.sampled_from(sorted(WORDS)).flatmap(lambda word: st.sampled_from([word, word.upper(), f" {word} "])),
    st.integers(1, 12).map(lambda count: "0" * count),
    st.text(alphabet="-–./?_ *", min_size=1, max_size=6),
)


@given(NOTHING, st.sampled_from(["phone", "email", "external", "social", "card", "device"]))
def test_a_word_for_nothing_leads_to_nobody_as_any_type(value: str, type_: str) -> None:
    assert not normalise_identifier(type_, value, None, "shop").usable


@pytest.mark.parametrize(
    ("value", "region"),
    [("000-000-0000", "US"), ("111 111 1111", "US"), ("1234567890", "US"), ("11111111111", "CN"), ("00000000", None)],
)
def test_invented_numbers_lead_to_nobody(value: str, region: str | None) -> None:
    assert "placeholder" in normalise_identifier("phone", value, region).flags


@pytest.mark.parametrize("value", sorted(WITHHELD))
def test_the_code_of_a_withheld_caller_leads_to_nobody(value: str) -> None:
    form = normalise_identifier("phone", value)
    assert not form.usable
    assert not reads_identifier("phone", form.normal)


@given(st.sampled_from(sorted(MAILBOXES - {"n/a"})), st.sampled_from(["firm.de", "mail.example.cn"]))
def test_mailboxes_of_nobody_lead_to_nobody_at_any_domain(local: str, domain: str) -> None:
    form = normalise_identifier("email", f"{local.upper()}@{domain}")
    assert not form.usable
    assert not reads_identifier("email", form.normal)


@pytest.mark.parametrize(
    ("type_", "value", "region"),
    [
        ("phone", "+65 8888 8888", None),
        ("phone", "021-88888888", "CN"),
        ("phone", "138 0013 8000", "CN"),
        ("email", "tester@firm.de", None),
        ("email", "anna.null@firm.de", None),
        ("external", "10", None),
        ("external", "N-A-1", None),
        ("card", "1000", None),
    ],
)
def test_what_may_be_somebodys_is_left_alone(type_: str, value: str, region: str | None) -> None:
    form = normalise_identifier(type_, value, region, "shop")
    assert form.usable
    assert reads_identifier(type_, form.normal)


@given(
    st.sampled_from(["phone", "email", "card", "external"]),
    st.one_of(NOTHING, st.text(max_size=20), st.from_regex(r"\+?[0-9]{5,14}", fullmatch=True)),
    st.sampled_from([None, "CN", "US"]),
)
def test_quality_calls_readable_what_somebody_can_be_found_by(type_: str, value: str, region: str | None) -> None:
    form = normalise_identifier(type_, value, region, "shop")
    if form.usable:
        assert reads_identifier(type_, form.normal)
    elif "placeholder" in form.flags:
        assert not reads_identifier(type_, form.normal)


def test_a_number_without_country_says_so() -> None:
    assert normalise_identifier("phone", "138 0013 8000").flags == ("unparsed", "no_region")
    assert normalise_identifier("phone", "138 0013 8000", "CN").usable
    assert "no_region" not in normalise_identifier("phone", "+86 138").flags
    assert "no_region" not in normalise_identifier("phone", "call me").flags
