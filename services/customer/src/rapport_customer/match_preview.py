"""The customers that records would match if they were reported now. Used before an import. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE
from rapport_customer.domain.match_decisions import suspicion, worth_comparing
from rapport_customer.domain.matching import Comparison, Features, blocking_keys, compare, features_of
from rapport_customer.domain.matching.weights import Weights
from rapport_customer.domain.profiles import FIELDS, Statement, provisional, with_identifier, with_report
from rapport_customer.domain.wording import in_words
from rapport_customer.schemas.match_preview import Draft, Match, MatchReason
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import HeldIdentifier, ProfileState
from rapport_shared.contracts.ids import new_id, source_profile_id
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.database import Database
from rapport_shared.normalisation import identifier_key, normalise_identifier, phone_region, system_and_record
from rapport_shared.policies import active_document


@dataclass(frozen=True, slots=True)
class MatchPreview:
    """Finds the customers that drafts of records would match."""

    database: Database
    secret: bytes
    clock: Clock
    default_region: str | None = None

    async def find(self, drafts: Sequence[Draft]) -> list[Match | None]:
        """For each draft the customer of its own record, of its identifiers' route, or the likeliest customer.

        None for a draft of a new customer. `certain` is false if a person would decide. May be repeated.
        """
        records = [self._record(draft) for draft in drafts]
        known = await store.customers_of_profiles(self.database, {state.profile_id for state in records})
        keys = {held.key for state in records for held in state.identifiers}
        routes = await store.customers_of_routes(self.database, keys)
        likely = await self._likely([state for state in records if state.profile_id not in known])
        return [_match(state, known, routes, likely.get(state.profile_id)) for state in records]

    def _record(self, draft: Draft) -> ProfileState:
        now = self.clock()
        record = draft.source.record if draft.source else None
        profile_id = _source_profile(draft.source.system, record) if draft.source and record else new_id(now)
        data: dict[str, Any] = draft.data.model_dump(mode="json", exclude_unset=True)
        fields = {name: data[name] for name in FIELDS if data.get(name) not in (None, [], {})}
        said = Statement("draft", record, fields, (), now, new_id(now))
        state = with_report(provisional(profile_id, now), said)
        for identifier in draft.identifiers:
            state = self._holding(state, identifier.model_dump(), now)
        return state

    def _holding(self, state: ProfileState, identifier: dict[str, Any], now: datetime) -> ProfileState:
        type_, system = identifier["type"], identifier["system"]
        if type_ in ("external", "social") and not system:
            return state
        region = phone_region(identifier["region"], None, self.default_region)
        form = normalise_identifier(type_, str(identifier["value"]), region, system)
        if not form.usable:
            return state
        held = HeldIdentifier(
            type=IdentifierType(type_),
            key=identifier_key(self.secret, type_, form.normal),
            raw=form.raw,
            normal=form.normal,
            norm_version=form.norm_version,
            routed=False,
            held_since=now,
        )
        return with_identifier(state, held)

    async def _likely(self, records: Sequence[ProfileState]) -> dict[UUID, tuple[UUID, UUID, Comparison]]:
        weights = (await active_document(self.database, MATCHING, MATCHING_PLACE)).weights
        features = {state.profile_id: features_of(state) for state in records}
        keys = {profile_id: blocking_keys(made) for profile_id, made in features.items()}
        blocks = await store.profiles_in_blocks(self.database, {key for some in keys.values() for key in some})
        found = {other for profiles in blocks.values() for other in profiles}
        stored = await store.features_of_profiles(self.database, found)
        others = {other: Features.from_json(text) for other, text in stored.items()}
        customers = await store.customers_of_profiles(self.database, found)
        likely: dict[UUID, tuple[UUID, UUID, Comparison]] = {}
        for profile_id, made in features.items():
            near = worth_comparing(blocks[key] for key in keys[profile_id] if key in blocks)
            best = _best(weights, made, {other: others[other] for other in near if other in others})
            if best is not None:
                likely[profile_id] = (customers.get(best[0], best[0]), *best)
        return likely


def _source_profile(system: str, record: str) -> UUID:
    return source_profile_id(*system_and_record(normalise_identifier("external", record, system=system).normal))


def _best(weights: Weights, features: Features, others: dict[UUID, Features]) -> tuple[UUID, Comparison] | None:
    compared = [(other, compare(weights, features, theirs)) for other, theirs in others.items()]
    worth = [match for match in compared if match[1].outcome != "none"]
    return max(worth, key=lambda match: (match[1].weight, match[0]), default=None)


def _match(
    state: ProfileState,
    known: dict[UUID, UUID],
    routes: dict[str, tuple[UUID, UUID]],
    likely: tuple[UUID, UUID, Comparison] | None,
) -> Match | None:
    if state.profile_id in known:
        reason = MatchReason(code="source_record", text="The source record is known.", text_zh="来源记录已存在。")
        return _certain(known[state.profile_id], state.profile_id, reason)
    for held in state.identifiers:
        if held.key in routes:
            customer_id, profile_id = routes[held.key]
            text = "Touchpoints with this identifier go to the customer."
            reason = MatchReason(code=f"routed_{held.type}", text=text, text_zh="该标识的来往归于此客户。")
            return _certain(customer_id, profile_id, reason)
    return None if likely is None else _likely_match(state.profile_id, *likely)


def _certain(customer_id: UUID, profile_id: UUID, reason: MatchReason) -> Match:
    return Match(customer_id=customer_id, profile_id=profile_id, certain=True, probability=1.0, reasons=[reason])


def _likely_match(newcomer: UUID, customer_id: UUID, profile_id: UUID, comparison: Comparison) -> Match:
    reasons = []
    for reason in suspicion(newcomer, profile_id, comparison).reasons:
        english, chinese = in_words(reason)
        reasons.append(MatchReason(code=f"{reason.field}_{reason.level}", text=english, text_zh=chinese))
    return Match(
        customer_id=customer_id,
        profile_id=profile_id,
        certain=comparison.outcome == "join",
        probability=round(comparison.probability, 6),
        reasons=reasons,
    )
