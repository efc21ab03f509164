"""The states of customers that are to be assessed: sums are made where there are none, and brought up to the day."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.commands.sums import Changes, SumRules, keep_sums
from rapport_scoring.domain.assessment import Occasion
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.state import CustomerState, state_of
from rapport_scoring.loading import load_customers, load_states
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Connection


async def present_states(
    connection: Connection, occasions: Mapping[UUID, Occasion], rules: Rules
) -> dict[UUID, CustomerState]:
    """The states of customers, each for its occasion, in the caller's transaction, which has locked the customers."""
    customers, by = sorted(occasions), SumRules.of(rules.value)
    states = await _made_states(connection, customers, by)
    due = {
        customer: state
        for customer, state in states.items()
        if state.begins_on is not None and state.known and state.begins_on <= occasions[customer].today(state)
    }
    if due:
        names: set[DocumentKey] = set()
        for customer, state in sorted(due.items()):
            names |= await store.begin_statements(connection, state.profiles, occasions[customer].today(state))
        touched = await keep_sums(connection, Changes(), by, begun_now=names)
        concerned = await store.customers_of(connection, sorted(touched))
        await store.outdate_customers(connection, sorted(concerned - occasions.keys()))
        states |= await _made_states(connection, sorted(concerned & occasions.keys()), by)
    if rules.segments.windows:
        # Windows may be of any length and ask for any fact: they are read from the facts themselves.
        for customer, facts in (await load_customers(connection, customers)).items():
            if facts.known:
                states[customer] = state_of(facts, rules.value, occasions[customer].today(facts))
    return states


async def _made_states(connection: Connection, customers: Sequence[UUID], by: SumRules) -> dict[UUID, CustomerState]:
    """The states of customers; the sums of profiles that were made by other rules, or never, are made first."""
    found = await load_states(connection, customers, by.name)
    unmade = [customer for customer, state in found.items() if state is None]
    if unmade:
        composition = await store.compositions(connection, unmade)
        profiles = {profile for members in composition.values() for profile in members}
        await keep_sums(connection, Changes(), by, profiles)
        found |= await load_states(connection, unmade, by.name)
    return {customer: state for customer, state in found.items() if state is not None}
