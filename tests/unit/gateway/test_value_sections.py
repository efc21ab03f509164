"""The sections of value and of segments: small, whole, and the same from whatever was kept before."""

import itertools
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from rapport_gateway.view import segments, value
from rapport_gateway.view.facts import Fact
from rapport_gateway.view.sections import fold_all, render

CUSTOMER, OTHER = uuid4(), uuid4()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMOUNT = {"amount": 120_000, "currency": "CNY"}


def alarm(state: str, day: int) -> dict[str, Any]:
    due_at = f"2026-03-{day:02d}T00:00:00Z"
    return {"alarm_id": str(uuid4()), "kind": "silence", "episode": "2026-01-01", "due_at": due_at, "state": state}


def score(sequence: int = 1, customer: UUID = CUSTOMER, **data: Any) -> Fact:
    whole = {"customer_id": str(customer), "as_of": "2026-03-01T12:00:00Z", "lines": sequence, **data}
    event_id, text = uuid4(), orjson.dumps(whole).decode()
    return Fact(event_id, "score.updated", str(customer), None, NOON, NOON, sequence, whole, text)


def shown(*facts: Fact) -> tuple[Any, Any]:
    """The two sections of the customer after some facts."""
    kept = {(place.profile_id, place.item): state for place, state in fold_all(facts).items()}
    return (
        value.render(CUSTOMER, [CUSTOMER, OTHER], kept),
        segments.render(CUSTOMER, [CUSTOMER, OTHER], kept),
    )


def test_the_highest_sequence_stands_in_any_order() -> None:
    facts = [score(number, segments=[f"s{number}"]) for number in (1, 2, 3)]
    for order in itertools.permutations(facts):
        section, names = shown(*order)
        assert (section["lines"], names) == (3, ["s3"])


def test_a_score_is_of_the_customer_that_it_names_and_not_of_one_that_was_merged_into_it() -> None:
    section, names = shown(score(9, OTHER, segments=["of_the_other"]), score(1, segments=["own"]))
    assert (section["lines"], names) == (1, ["own"])
    section, names = shown(score(9, OTHER, segments=["of_the_other"]))
    assert (section["settling"], section["lines"], names) == (True, None, [])


def test_alarms_that_stand_are_shown_those_that_ring_first() -> None:
    stated = [alarm("pending", 9), alarm("expired", 8), alarm("raised", 2), alarm("withdrawn", 3), alarm("raised", 4)]
    section, _ = shown(score(alarms=stated))
    assert [one["due_at"][8:10] for one in section["alarms"]] == ["04", "02", "09"]
    assert section["alarms_total"] == 3


def test_the_section_stays_small_whatever_scoring_says() -> None:
    many: dict[str, Any] = {
        "contemporary": {
            "lifetime": [AMOUNT],
            "lifetime_parts": {f"part_{number}": [AMOUNT] for number in range(12)},
            "last_90_days_parts": {f"part_{number}": [AMOUNT] for number in range(12)},
        },
        "indicators": {f"indicator:{number}": "0.123456" for number in range(200)},
        "suggestions": [
            {"kind": "peers", "what": f"filters {n}", "counts": {"peers": "12"}, "events": [str(uuid4())] * 5}
            for n in range(40)
        ],
        "triggers": [{"name": "payment", "since": "2026-03-01T12:00:00Z", "effective": True, "inputs": {"late": "1"}}],
        "alarms": [alarm("raised", 4), *(alarm("expired", day) for day in range(1, 20)), alarm("pending", 30)],
        "segments": [f"segment-{number:03d}" for number in range(80)],
    }
    section, names = shown(score(**many))
    assert (len(section["suggestions"]), section["suggestions_total"]) == (10, 40)
    assert len(names) == segments.SHOWN
    assert len(orjson.dumps(section)) < 3_000


def test_what_was_kept_before_is_rendered_still() -> None:
    old = {"sequence": 4, "score": {"contemporary": {"lifetime": [AMOUNT], "lifetime_parts": {}}, "lines": 1}}
    section = orjson.loads(render(value.NAME, CUSTOMER, [CUSTOMER], {(CUSTOMER, ""): old}))
    assert section["contemporary"]["lifetime"] == [AMOUNT]
    assert (section["tier"], section["potential"], section["alarms"], section["valued_on"]) == (None, None, [], None)
    bare = value.render(CUSTOMER, [CUSTOMER], {(CUSTOMER, ""): {"sequence": 1, "score": {}}})
    assert bare["contemporary"]["last_90_days"] == []
