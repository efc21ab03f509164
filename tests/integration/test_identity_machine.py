"""Identity as a state machine on the real commands and a real database: whatever happens, in whatever order.

After every step each customer is what the joins that stand make of the profiles, every register holds what was said
of its own profile and nothing else, and merges and undos have touched no register. What was published, shuffled and
doubled, folds to the same.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from rapport_customer.domain.profiles import provisional, with_report
from rapport_shared.contracts.customer import ProfileState
from rapport_shared.contracts.ids import first_touch_profile_id
from tests.support.customer_service import BEGUN, CustomerDesk, customer_desk, recorded_identifier
from tests.support.infrastructure import Databases
from tests.support.view_facts import sections_of

T = TypeVar("T")
IDENTIFIERS: tuple[dict[str, Any], ...] = (
    {"type": "phone", "value": "13800138000"},
    {"type": "email", "value": "wang@firm.test"},
)
NAMES: tuple[dict[str, Any], ...] = (
    {},
    {"name": {"display": "王小明"}, "birth_date": "1985-03-01"},
    {"name": {"display": "李娜"}},
)
RECORDS = st.sampled_from([("erp", "1"), ("erp", "2"), ("shop", "1"), ("crm", "1")])
HELD = st.sampled_from(range(len(IDENTIFIERS)))
PICK = st.integers(0, 1_000)
DAYS = st.integers(0, 5)


class Identity(RuleBasedStateMachine):
    """Sources report, people call, claim and give up identifiers, somebody merges, undoes, keeps apart, retracts."""

    databases: Databases

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self._desk = customer_desk(self.databases)
        self.desk: CustomerDesk = self.run(self._desk.__aenter__())
        self.reports: dict[UUID, dict[UUID, Any]] = defaultdict(dict)
        self.heard: dict[int, UUID] = {}

    def teardown(self) -> None:
        try:
            self._check_what_was_published()
        finally:
            self.run(self._desk.__aexit__(None, None, None))
            self.runner.close()

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def rows(self, query: str, *arguments: Any) -> list[Any]:
        return self.run(self.desk.database.fetch(query, *arguments))

    def profiles(self) -> list[UUID]:
        return [row["profile_id"] for row in self.rows("SELECT profile_id FROM membership ORDER BY profile_id")]

    def customer(self, profile_id: UUID) -> UUID:
        return self.run(self.desk.customer_of(profile_id))

    def registers(self) -> list[Any]:
        return self.rows("SELECT profile_id, state, sequence FROM profile ORDER BY profile_id")

    @rule(
        record=RECORDS,
        name=st.sampled_from(NAMES),
        held=st.sets(HELD),
        verified=st.sampled_from([True, True, False]),
        day=DAYS,
    )
    def report(self, record: tuple[str, str], name: dict[str, Any], held: set[int], verified: bool, day: int) -> None:
        identifiers = [IDENTIFIERS[number] | {"verified": verified} for number in sorted(held)]
        profile_id = self.by_itself(self.desk.report(*record, name, identifiers, day))
        self.reports[profile_id][_last_id(self.desk)] = (record, name, day)

    @rule(number=HELD, stale=st.booleans())
    def touch(self, number: int, stale: bool) -> None:
        profile_id = self.heard.get(number) if stale else None
        profile_id = profile_id or self._leads_to(number)
        if profile_id is not None:
            self.heard[number] = profile_id
            self.by_itself(self.desk.touch(profile_id, identifiers=[IDENTIFIERS[number]]))

    def _leads_to(self, number: int) -> UUID | None:
        key = recorded_identifier(**IDENTIFIERS[number]).key
        found = self.rows("SELECT target, profile_id, route_seq FROM route WHERE identifier_key = $1", key)
        if not found or found[0]["target"] == "nobody":
            return first_touch_profile_id(key, found[0]["route_seq"] if found else 0)
        return found[0]["profile_id"]  # type: ignore[no-any-return]

    @precondition(lambda self: self.profiles())
    @rule(pick=PICK, number=HELD)
    def claim(self, pick: int, number: int) -> None:
        profile_id = _picked(self.profiles(), pick)
        body = IDENTIFIERS[number] | ({"region": "CN"} if IDENTIFIERS[number]["type"] == "phone" else {})
        answer = self.run(self.desk.client.post(f"/v1/customers/{profile_id}/identifiers", json=body))
        assert answer.status_code in (201, 409), answer.text

    @precondition(lambda self: self.profiles())
    @rule(pick=PICK, number=HELD)
    def release(self, pick: int, number: int) -> None:
        key = recorded_identifier(**IDENTIFIERS[number]).key
        path = f"/v1/customers/{_picked(self.profiles(), pick)}/identifiers/{key}"
        assert self.run(self.desk.client.delete(path)).status_code in (200, 404)

    @precondition(lambda self: len(self.profiles()) > 1)
    @rule(one=PICK, other=PICK)
    def merge(self, one: int, other: int) -> None:
        into, goes = _picked(self.profiles(), one), self.customer(_picked(self.profiles(), other))
        one_already = self.customer(into) == goes
        before = self.registers()
        body = {"into": str(into), "from": [str(goes)]}
        answer = self.run(self.desk.client.post("/v1/merges", json=body))
        assert answer.status_code in ((409, 422) if one_already else (201,)), answer.text
        assert self.registers() == before, "a merge touches no register"

    @precondition(lambda self: self.standing())
    @rule(pick=PICK)
    def undo(self, pick: int) -> None:
        join = _picked(self.standing(), pick)
        before = self.registers()
        self.run(self.desk.call("POST", f"/v1/merges/{join['merge_id']}/undo", 200))
        assert self.registers() == before, "an undo touches no register"
        assert self.customer(join["from_customer"]) == join["from_customer"]

    @rule()
    def match(self) -> None:
        before = self.registers()
        self.by_itself(self.desk.match())
        assert self.registers() == before, "the matcher touches no register"

    @rule(pick=PICK)
    def keep_apart(self, pick: int) -> None:
        found = self.run(self.desk.candidates())
        if found:
            path = f"/v1/merge-candidates/{_picked(found, pick)['candidate_id']}/decision"
            self.run(self.desk.call("POST", path, 200, json={"decision": "never"}))

    @precondition(lambda self: any(self.reports.values()))
    @rule(pick=PICK)
    def retract(self, pick: int) -> None:
        known = [(profile, event) for profile, events in self.reports.items() for event in events]
        profile_id, event_id = _picked(sorted(known), pick)
        self.run(self.desk.retract(profile_id, event_id))
        del self.reports[profile_id][event_id]

    def standing(self) -> list[Any]:
        return self.rows("SELECT * FROM customer_join WHERE NOT undone ORDER BY made_at, merge_id")

    @invariant()
    def each_customer_is_what_the_joins_that_stand_make(self) -> None:
        above = {join["from_customer"]: join["into_profile"] for join in self.standing()}
        stored = {row["profile_id"]: row["customer_id"] for row in self.rows("SELECT * FROM membership")}
        assert stored == {profile_id: _root(profile_id, above) for profile_id in stored}

    def never_yet_one(self) -> set[tuple[UUID, UUID]]:
        """Pairs that are kept apart, and are one all the same: only a person does that."""
        nevers = [(row["one"], row["other"]) for row in self.rows("SELECT one, other FROM never_join")]
        return {(one, other) for one, other in nevers if self.customer(one) == self.customer(other)}

    def by_itself(self, work: Awaitable[T]) -> T:
        """Something that Rapport does by itself: it joins nobody that is kept apart."""
        before = self.never_yet_one()
        done = self.run(work)
        assert self.never_yet_one() <= before, "what a person parted is not joined again"
        return done

    @invariant()
    def every_register_holds_what_was_said_of_its_own_profile(self) -> None:
        for row in self.registers():
            if row["state"] is None:
                continue
            state = ProfileState.model_validate_json(row["state"])
            expected = provisional(state.profile_id, BEGUN)
            for statement in self.desk.statements(self.reports[state.profile_id]):
                expected = with_report(expected, statement)
            assert (state.fields, state.sources) == (expected.fields, expected.sources)

    def _check_what_was_published(self) -> None:
        messages = [*self.desk.told, *self.run(self.desk.events())]
        chance = random.Random(len(messages))
        doubled = messages + chance.choices(messages, k=len(messages)) if messages else []
        chance.shuffle(doubled)
        folded = sections_of(doubled)
        assert folded == sections_of(messages)
        stored: dict[UUID, set[str]] = defaultdict(set)
        for row in self.rows("SELECT * FROM membership"):
            stored[row["customer_id"]].add(str(row["profile_id"]))
        shown = {customer: _shown_profiles(sections) for customer, sections in folded.items()}
        assert {customer: profiles for customer, profiles in shown.items() if customer in stored} == stored


def _shown_profiles(sections: dict[str, str]) -> set[str]:
    return {profile["profile_id"] for profile in orjson.loads(sections["identity"])["profiles"]}


def _last_id(desk: CustomerDesk) -> UUID:
    return UUID(dict(desk.told[-1].headers)["ce_id"].decode())


def _picked(among: list[T], pick: int) -> T:
    return among[pick % len(among)]


def _path(profile_id: UUID, above: dict[UUID, UUID]) -> list[UUID]:
    path = [profile_id]
    while (up := above.get(path[-1])) is not None:
        assert up not in path, "joins must not form a circle"
        path.append(up)
    return path


def _root(profile_id: UUID, above: dict[UUID, UUID]) -> UUID:
    return _path(profile_id, above)[-1]


def test_whatever_happens_customers_are_what_stands(databases: Databases) -> None:
    class OnDatabases(Identity):
        pass

    OnDatabases.databases = databases
    run_state_machine_as_test(
        OnDatabases,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
