"""What a segment policy may say, and where it is wrong when it may not."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rapport_scoring.domain.segments import CustomerReadings, SegmentPolicy, finds_all
from rapport_scoring.domain.segments.conditions import Condition
from rapport_scoring.domain.segments.expressions import expression_of
from rapport_scoring.domain.segments.soundness import unsound
from tests.unit.scoring.segments.customers import CONDITIONS, CUSTOMERS, NOON, policy
from tests.unit.scoring.segments.oracle import holds

CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)
GOLD = {"reading": "tier", "is": "gold"}
CALLS = {"count": "contacts", "at_least": 1}

WRITTEN = """
description: Good customers in the east who call often, or are silent
when:
  all:
    - {reading: tier, in: [gold, silver]}
    - {reading: "attribute:unit", under: cn/east}
    - {reading: "value:potential", between: [100000, 900000]}
    - not: {reading: "alarm:silence", is: true}
    - any:
        - {count: contacts, where: {channel: phone, direction: inbound}, within: 30 minutes, at_least: 3}
        - {min: answers.score, where: {survey: [nps, csat]}, within: 2 weeks, at_most: 6}
        - {sum: purchases.revenue, within: 90 days, more_than: 500000, less_than: 900000}
        - {absent: contacts, for: 60 days, among: ever}
        - {age: customer, less_than: 1 day}
        - {reading: "indicator:satisfaction:nps", missing: true}
"""


def test_a_policy_is_read_from_yaml_and_kept_as_it_was_written() -> None:
    document = yaml.safe_load(WRITTEN)
    made = SegmentPolicy.model_validate(document)
    kept = json.loads(made.model_dump_json(exclude_unset=True))
    assert SegmentPolicy.model_validate(kept) == made
    parts = kept["when"]["all"]
    assert parts[:4] == document["when"]["all"][:4]
    assert parts[4]["any"][3:] == document["when"]["all"][4]["any"][3:]
    assert parts[4]["any"][0]["where"] == {"channel": ["phone"], "direction": ["inbound"]}


def test_without_a_condition_a_segment_is_switched_off() -> None:
    assert SegmentPolicy.model_validate({}).expression() is None


def nested(depth: int) -> dict[str, Any]:
    condition: dict[str, Any] = GOLD
    for _ in range(depth):
        condition = {"not": condition}
    return condition


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("nothing in all", {"all": []}, "/when/all", "would hold of everybody"),
    ("nothing in any", {"all": [GOLD, {"any": []}]}, "/when/all/1/any", "or of nobody"),
    ("no such condition", {"not": {"tier": "gold"}}, "/when/not", "A condition has one of: all"),
    ("two at once", {"all": [{**GOLD, **CALLS}]}, "/when/all/0", "A condition has one of: all"),
    ("no such reading", {"any": [{"reading": "shoe", "is": 1}]}, "/when/any/0/reading", "There is no reading `shoe`"),
    ("no such indicator", {"reading": "indicator:charm", "at_least": 1}, "/when/reading", "There is no reading"),
    ("no such stage", {"reading": "stage", "in": ["loyal", "royal"]}, "/when/in", "There is no stage royal"),
    ("no such channel", {**CALLS, "where": {"channel": "fax"}}, "/when/where/channel", "There is no channel fax"),
    ("no such field", {**CALLS, "where": {"agent": "x"}}, "/when/where/agent", "contacts have no agent"),
    ("no such figure", {"sum": "answers.score", "at_least": 1}, "/when/sum", "purchases.revenue"),
    ("no such operator", {"reading": "tier", "isnt": "gold"}, "/when/isnt", "not permitted"),
    ("an order of words", {"reading": "tier", "at_least": 3}, "/when/at_least", "`tier` is a text"),
    ("a word for a number", {"reading": "value:total", "is": "5"}, "/when/is", "`value:total` is a number"),
    ("a truth for a number", {"reading": "value:total", "at_least": True}, "/when/at_least", "Write a number"),
    ("not a number", {"reading": "value:total", "at_most": float("nan")}, "/when/at_most", "Write a number"),
    ("too great a number", {**CALLS, "at_most": 10**400}, "/when/at_most", "Write a number"),
    ("no operator", {"reading": "tier"}, "/when", "Say what is asked of it"),
    ("no age asked", {"age": "customer"}, "/when", "Say what is asked of it"),
    ("an age of looking", {"age": "segment:it", "at_least": "1 day"}, "/when/age", "`segment:it` has no age"),
    ("no such age", {"age": "moon", "at_least": "1 day"}, "/when/age", "`moon` has no age"),
    ("no window", {**CALLS, "within": "0 days"}, "/when/within", "at least a minute and at most five years"),
    ("too long a window", {**CALLS, "within": "6000 days"}, "/when/within", "at most five years"),
    ("another form", {"absent": "contacts", "for": "P60D"}, "/when/for", "such as `60 days`"),
    ("a path that ends", {"reading": "attribute:unit", "under": "cn/"}, "/when/under", "pattern"),
    ("everybody", {"all": [GOLD, {"count": "contacts", "at_least": 0}]}, "/when/all/1", "It holds of everybody"),
    ("nobody", {"reading": "value:total", "at_least": 5, "at_most": 4}, "/when", "It holds of nobody"),
    ("nobody counted", {"count": "tickets", "more_than": 2, "less_than": 3}, "/when", "It holds of nobody"),
    ("between backwards", {"reading": "value:total", "between": [9, 1]}, "/when", "It holds of nobody"),
    ("one and the other", {"all": [GOLD, {"reading": "tier", "is": "tin"}]}, "/when", "It holds of nobody"),
    ("so or not so", {"any": [GOLD, {"not": GOLD}]}, "/when", "It holds of everybody"),
    (
        "known or unknown",
        {"any": [{"reading": "tier", "exists": True}, {"reading": "tier", "missing": True}]},
        "/when",
        "It holds of everybody",
    ),
    ("apart", {"all": [nested(8), {"not": nested(8)}]}, "/when/all/1/not" + "/not" * 7, "no deeper than 8"),
    ("too deep", nested(9), "/when" + "/not" * 9, "no deeper than 8"),
    ("far too deep", nested(20_000), "/when" + "/not" * 9, "no deeper than 8"),
    ("too many", {"any": [CALLS] * 101}, "/when", "no more than 100"),
]


@pytest.mark.parametrize(
    ("when", "place", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_bad_policy_is_refused_where_it_is_bad(when: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        policy(when)
    errors = refused.value.errors(include_input=False)
    assert ["/" + "/".join(str(step) for step in error["loc"]) for error in errors] == [place]
    assert message in errors[0]["msg"]


def test_the_bounds_themselves_are_allowed() -> None:
    policy(nested(8))
    policy({"any": [{"count": "contacts", "at_least": number} for number in range(1, 101)]})
    policy({**CALLS, "within": "1827 days"})
    policy({"reading": "indicator:trend", "more_than": 0.5, "less_than": 0.6})
    policy({"reading": "tickets:open", "between": [0, 2]})


@given(CONDITIONS, st.lists(CUSTOMERS, min_size=1, max_size=5))
def test_what_is_refused_as_empty_or_full_is_so(when: dict[str, Any], customers: list[CustomerReadings]) -> None:
    found = unsound(expression_of(CONDITION.validate_python(when)))
    if found is not None:
        refused: Any = CONDITION.validate_python(when).model_dump(mode="json", exclude_none=True)
        for step in found.place.split("/")[2:]:
            refused = refused[int(step) if step.isdecimal() else step]
        everybody = "everybody" in found.message
        assert all(holds(refused, customer, NOON) is everybody for customer in customers)


@pytest.mark.parametrize(
    ("matched", "customers", "refused"), [(10, 10, True), (9, 10, False), (1, 1, False), (0, 0, False)]
)
def test_what_matches_the_whole_base_is_no_segment(matched: int, customers: int, refused: bool) -> None:
    assert (finds_all(matched, customers) is not None) is refused
