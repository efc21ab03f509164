"""First touches by one phone, with registrations, removals and claims in between: one customer, whatever the order.

A model of the two services with the real rules: interaction attributes by the routes it has heard of, customer
registers and routes; what one tells the other arrives late and in any interleaving.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_customer.domain.routing import Claim, RoutedProfile, judge
from rapport_customer.domain.routing import Route as OwnersRoute
from rapport_interaction.domain.attribution import Route, Touch, attribute
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import IdentifierType, RecordedIdentifier

KEY = "0" * 64
PHONE = RecordedIdentifier(type=IdentifierType.PHONE, key=KEY, raw="x", normal="x", norm_version=1)


def root_of(profile_id: UUID, joins: Mapping[UUID, UUID]) -> UUID:
    """The customer of a profile: the end of its joins, each from a root to the profile it was joined into."""
    seen = {profile_id}
    while (above := joins.get(profile_id)) is not None:
        assert above not in seen, "joins must not form a circle"
        seen.add(above)
        profile_id = above
    return profile_id


@dataclass
class Model:
    """Both services and what is on its way between them."""

    heard: dict[str, Route] = field(default_factory=lambda: {KEY: Route(KEY)})
    route: OwnersRoute = field(default_factory=lambda: OwnersRoute(RouteTarget.NOBODY, None, 0))
    joins: dict[UUID, UUID] = field(default_factory=dict)
    registered: set[UUID] = field(default_factory=set)
    known: set[UUID] = field(default_factory=set)
    removed: set[UUID] = field(default_factory=set)
    touches: list[UUID] = field(default_factory=list)
    to_customer: list[UUID] = field(default_factory=list)
    to_interaction: list[OwnersRoute] = field(default_factory=list)

    def touch(self) -> None:
        profile_id, _ = attribute(Touch(None, [PHONE]), self.heard)
        assert profile_id is not None
        self.touches.append(profile_id)
        self.to_customer.append(profile_id)

    def deliver_touch(self) -> None:
        if self.to_customer:
            profile_id = self.to_customer.pop(0)
            self.known.add(profile_id)
            if profile_id not in self.removed:
                self._claim(profile_id, "touch")

    def deliver_route(self) -> None:
        if self.to_interaction:
            route = self.to_interaction.pop(0)
            if route.route_seq > self.heard[KEY].route_seq:
                self.heard[KEY] = Route(KEY, route.target, route.profile_id, route.route_seq)

    def register(self, number: int) -> None:
        profile_id = derived_id("registered", number)
        self.known.add(profile_id)
        routed = self.route.profile_id
        if routed is not None and self._standing(routed).registered and routed != profile_id:
            return  # the command is refused
        self.registered.add(profile_id)
        self.removed.discard(profile_id)
        self._claim(profile_id, "command")

    def remove(self) -> None:
        holder = self.route.profile_id
        if holder is not None and holder in self.registered:
            self.removed.add(holder)
            self._put_route(None)

    def _claim(self, profile_id: UUID, claim: Claim) -> None:
        routed = self._standing(self.route.profile_id) if self.route.profile_id else None
        verdict = judge(claim, self._standing(profile_id), self.route, routed)
        assert not verdict.refused
        if verdict.join is not None:
            from_customer, into = verdict.join
            assert root_of(into, self.joins) != from_customer
            self.joins[from_customer] = into
        if verdict.takes_route:
            self._put_route(profile_id)

    def _put_route(self, profile_id: UUID | None) -> None:
        target = RouteTarget.PROFILE if profile_id else RouteTarget.NOBODY
        self.route = OwnersRoute(target, profile_id, self.route.route_seq + 1)
        self.to_interaction.append(self.route)

    def _standing(self, profile_id: UUID) -> RoutedProfile:
        customer = root_of(profile_id, self.joins)
        members = {p for p in self.known | {profile_id} if root_of(p, self.joins) == customer}
        return RoutedProfile(profile_id, customer, bool(members & self.registered))

    def settle(self) -> None:
        while self.to_customer or self.to_interaction:
            self.deliver_touch()
            self.deliver_route()


STEPS = st.lists(st.sampled_from(["touch", "touch", "deliver_touch", "deliver_route", "register"]), max_size=60)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_touches_and_one_registration_make_one_customer(steps: list[str]) -> None:
    model = Model()
    for step in ("touch", *steps):
        model.register(1) if step == "register" else getattr(model, step)()
    model.settle()
    assert len({root_of(profile_id, model.joins) for profile_id in model.touches}) == 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["touch", "touch", "deliver_touch", "deliver_route", "register", "remove"]), max_size=60)
)
def test_with_a_removal_and_a_claim_anew_nothing_waits_and_one_customer_is_left(steps: list[str]) -> None:
    model = Model()
    for step in ("touch", *steps):
        model.register(1) if step == "register" else getattr(model, step)()
    model.settle()
    model.register(1)
    model.settle()
    model.touch()
    model.settle()
    assert root_of(model.touches[-1], model.joins) == root_of(derived_id("registered", 1), model.joins)
    assert len({root_of(profile_id, model.joins) for profile_id in model.touches}) == 1
