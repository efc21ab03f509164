"""Comparing is total, symmetric, grows with agreement, and gives reasons without a personal value."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_customer.domain.matching import (
    Features,
    Field,
    Guard,
    Weights,
    blocking_keys,
    compare,
    features_of,
    trigram_text,
)
from rapport_customer.domain.matching.features import Identifier, Place
from rapport_customer.domain.matching.guards import ALL, guards_of
from rapport_customer.domain.matching.levels import FIELDS
from rapport_customer.domain.matching.reasons import level_reason
from rapport_shared.contracts.customer import FieldCandidate
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.pii import ERASED
from tests.support.parties import REPORTED_AT, party, profile

SHIPPED = Weights()
WORDS = st.sampled_from(
    ["", "wang", "ge", "gai", "li", "xiaoming", "xiaohong", "weber", "webber", "j", "daniel", "daniela"]
)
LINES = st.sampled_from(["", "hauptstrasse", "hauptstrase", "世纪大道", "tullaroop street", "medical centre"])
PLACES = st.builds(
    Place,
    country=st.sampled_from(["", "CN", "DE"]),
    region=WORDS,
    city=WORDS,
    district=LINES,
    street=LINES,
    number=st.sampled_from(["", "6", "16", "16-2"]),
    postcode=st.sampled_from(["", "80331", "80313", "80999"]),
)
IDENTIFIERS = st.builds(
    Identifier,
    type=st.sampled_from(["phone", "email", "card"]),
    key=st.sampled_from(["a", "b"]),
    verified=st.booleans(),
)
FEATURES = st.builds(
    Features,
    kind=st.sampled_from([None, "person", "company", "household"]),
    family=WORDS,
    given=WORDS,
    other_family=st.sampled_from(["", "gai", "le"]),
    han_family=st.sampled_from(["", "王", "盖"]),
    han_given=st.sampled_from(["", "小明", "晓明"]),
    is_pinyin=st.booleans(),
    name=st.sampled_from(["", "acme", "acme24", "acme42"]),
    legal=st.sampled_from(["", "ltd", "gmbh"]),
    birth_date=st.sampled_from(["", "19850301", "19850103", "19850311", "19371233"]),
    places=st.lists(PLACES, max_size=2).map(tuple),
    phones=st.lists(st.sampled_from(["13800138", "23456789"]), max_size=2).map(tuple),
    mailboxes=st.lists(st.sampled_from(["familie.weber", "service"]), max_size=2).map(tuple),
    identifiers=st.lists(IDENTIFIERS, max_size=3).map(tuple),
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just(ERASED) | st.just({"erased": True}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["display", "family", "given", "raw", "city", "street"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@given(FEATURES, FEATURES)
def test_comparing_is_total_and_symmetric(a: Features, b: Features) -> None:
    one, other = compare(SHIPPED, a, b), compare(SHIPPED, b, a)
    assert one == other
    assert 0 <= one.probability <= 1
    assert one.reasons == other.reasons
    assert (one.outcome == "join") == (one.weight >= SHIPPED.upper)
    assert (one.outcome == "none") == (one.weight < SHIPPED.lower)


@given(FEATURES)
def test_features_are_the_same_after_a_row(features: Features) -> None:
    assert Features.from_json(features.to_json()) == features
    json.loads(features.to_json())


@given(FEATURES)
def test_keys_are_deterministic_and_say_their_kind(features: Features) -> None:
    keys = blocking_keys(features)
    assert keys == blocking_keys(Features.from_json(features.to_json()))
    assert all(key[2] == ":" for key in keys)
    assert trigram_text(features) == trigram_text(replace(features, family=features.given, given=features.family))


BEFORE_AND_AFTER = [
    ("birth_date", "19850301", ["20010909", "19850415", "19850311", "19850301"]),
    ("given", "johannes", ["peter", "johnas", "johannse", "johannes"]),
    ("family", "kaltenbach", ["weber", "kalten", "kaltenbahc", "kaltenbach"]),
]


@pytest.mark.parametrize(("field", "value", "nearer"), BEFORE_AND_AFTER)
def test_the_weight_grows_with_agreement(field: str, value: str, nearer: list[str]) -> None:
    known = person(**{field: value})
    weights = [compare(SHIPPED, known, person(**{field: other})).weight for other in nearer]
    assert weights == sorted(weights), f"expected the weight to grow from {nearer[0]} to {nearer[-1]}: {weights}"
    assert weights[0] < weights[-1]


def person(family: str = "kaltenbach", given: str = "johannes", birth_date: str = "19850301") -> Features:
    return Features("person", family, given, birth_date=birth_date, places=(Place(city="koln"),))


@given(st.lists(st.integers(0, 4), min_size=len(FIELDS), max_size=len(FIELDS)), st.integers(0, len(FIELDS) - 1))
def test_agreeing_more_brings_no_guard(levels: list[int], place: int) -> None:
    a = b = person()
    for level in range(1, 4):
        less, more = ((*levels[:place], at, *levels[place + 1 :]) for at in (level, level + 1))
        added = set(guards_of(a, b, more, ALL)) - set(guards_of(a, b, less, ALL))
        assert not added, f"expected no guard to come with more agreement in {FIELDS[place]}: {added}"


def test_no_level_says_more_than_a_nearer_one() -> None:
    for field, bits in zip(FIELDS, SHIPPED.table, strict=True):
        assert list(bits[1:]) == sorted(bits[1:]), f"expected {field} to grow from disagree to exact: {bits}"


def test_what_was_erased_is_not_known() -> None:
    state = profile(
        {
            "name": {"display": {"erased": True}},
            "birth_date": ERASED,
            "addresses": [{"raw": "x", "city": {"erased": True}}],
        }
    )
    features = features_of(state)
    assert (features.family, features.given, features.birth_date) == ("", "", "")
    state = profile({"name": {"display": "王小明"}}, [(IdentifierType.PHONE, "13800138000")])
    erased = state.identifiers[0].model_copy(update={"raw": ERASED, "normal": ERASED})
    assert features_of(state.model_copy(update={"identifiers": (erased,)})).phones == ()


@given(ANY, ANY, ANY, ANY)
def test_features_are_made_of_whatever_sources_say(kind: Any, name: Any, birth_date: Any, addresses: Any) -> None:
    state = profile({"kind": kind, "name": name, "birth_date": birth_date, "addresses": addresses})
    features = features_of(state)
    assert compare(SHIPPED, features, features).pattern == compare(SHIPPED, features, features).pattern
    blocking_keys(features)


def test_the_candidate_that_stands_is_compared() -> None:
    def candidate(value: object, days: int, **rank: Any) -> FieldCandidate:
        at = REPORTED_AT + timedelta(days=days)
        return FieldCandidate(value=value, source=f"s{days}", occurred_at=at, event_id=UUID(int=days), **rank)

    state = profile({})
    for candidates, expected in (
        ([candidate("19850301", 1), candidate("19850302", 2)], "19850302"),
        ([candidate("19850301", 1, verified=True), candidate("19850302", 2)], "19850301"),
        ([candidate("19850301", 1, priority=2), candidate("19850302", 2, priority=1)], "19850301"),
        ([candidate("19850301", 1, manual=True), candidate("19850302", 2, verified=True)], "19850301"),
        ([candidate("19850301", 1), candidate(ERASED, 2, manual=True)], "19850301"),
    ):
        features = features_of(state.model_copy(update={"fields": {"birth_date": tuple(candidates)}}))
        assert features.birth_date == expected


def test_reasons_name_no_value_in_either_language() -> None:
    a = party(
        "王小明", "1985-03-01", "上海市浦东新区世纪大道100号", phone="13800138000", email="familie.wang@example.com"
    )
    b = party(
        "王晓明", "1985-03-11", "上海市浦东新区世纪大道100号", phone="13912345678", email="familie.wang@example.com"
    )
    reasons = compare(SHIPPED, a, b).reasons
    assert {"given_close", "birth_date_very_close", "street_exact", "phone_disagree", "email_exact"} <= {
        reason.code for reason in reasons
    }
    personal = ("王", "小明", "晓明", "1985", "上海", "浦东", "世纪", "100", "138", "139", "wang", "xiaoming")
    for reason in reasons:
        said = f"{reason.english} {reason.chinese}"
        assert not [value for value in personal if value in said.lower()], f"expected no personal value: {said}"
        assert reason.english.endswith(".")
        assert reason.chinese.endswith("。")


def test_a_company_never_is_a_person() -> None:
    company, person = (
        party("王小明", phone="13800138000", kind="company"),
        party("王小明", phone="13800138000", kind="person"),
    )
    compared = compare(SHIPPED, company, person)
    assert (compared.outcome, compared.guards) == ("none", (Guard.KIND,))


@pytest.mark.parametrize("field", list(Field))
def test_every_field_and_level_has_words(field: Field) -> None:
    assert {level_reason(field, level, 1.0).code for level in range(1, 5)} == {
        f"{field}_{level}" for level in ("disagree", "close", "very_close", "exact")
    }


def test_keys_survive_a_slip_in_any_one_field() -> None:
    home = {
        "street": "6 Tullaroop Street",
        "district": "Willaroo",
        "city": "Bittern",
        "postcode": "4011",
        "region": "wa",
    }
    right = party({"family": "Hoehne", "given": "Isabella"}, "1988-06-07", home)
    for what, changed in {
        "family": party({"family": "Xoehne", "given": "Isabella"}, "1988-06-07", home),
        "given": party({"family": "Hoehne", "given": "Esme"}, "1988-06-07", home),
        "exchanged names": party({"family": "Isabella", "given": "Hoehne"}, "1988-06-07"),
        "exchanged day and month": party({"family": "Hoehne", "given": "Isabella"}, "1988-07-06"),
        "year": party({"family": "Hoehne", "given": "Isabella"}, "1958-06-07"),
        "birth date": party({"family": "Hoehne", "given": "Isabella"}, "1912-12-12", home),
        "street": party({"family": "Hoehne", "given": "Isabella"}, "1988-06-07", {**home, "street": "1 Other Road"}),
        "postcode": party({"family": "Hoehne", "given": "Isabella"}, "1988-06-07", {**home, "postcode": "9999"}),
        "no birth date": party({"family": "Hoehne", "given": "Isabella"}, None, home),
        "no name": party(None, "1988-06-07", home),
    }.items():
        assert blocking_keys(right) & blocking_keys(changed), f"expected a common key in spite of {what}"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"lower": 9, "upper": 8}, "lower .9. must be below upper .8."),
        ({"guards": ["twins"]}, "guards"),
        ({"guards": ["household"]}, "cannot be taken out"),
        ({"fields": {"shoe_size": {}}}, "shoe_size"),
        (
            {"fields": {"city": {"m": {"exact": 0.9, "very_close": 0.2, "close": 0.1, "disagree": 0.1}}}},
            "sum to 1.3, not 1",
        ),
        ({"prior": 3}, "less than or equal to 0"),
        ({"colour": 1}, "Extra inputs"),
        ({"fields": {"city": {"m": {"exact": 0}}}}, "greater than 0"),
        ([], "dictionary"),
        ({"fields": 3}, "fields"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_reason(document: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Weights.model_validate(document)


def test_a_policy_names_only_what_differs() -> None:
    shares = {"exact": 0.7, "very_close": 0.1, "close": 0.1, "disagree": 0.1}
    policy = Weights.model_validate({"upper": 12, "fields": {"city": {"m": shares, "u": shares}}})
    assert policy.table[FIELDS.index(Field.CITY)] == (0, 0, 0, 0, 0)
    assert policy.fields[Field.FAMILY] == SHIPPED.fields[Field.FAMILY]
    assert Weights.model_validate_json(policy.model_dump_json()) == policy
