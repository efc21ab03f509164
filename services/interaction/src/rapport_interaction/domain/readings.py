"""An arrival with all that attribution looks at, read once."""

from collections.abc import Callable
from dataclasses import dataclass

from rapport_interaction.domain.arrivals import Arrival
from rapport_interaction.domain.documents import Profile, Statement, stated
from rapport_interaction.domain.evidence import device_keys, device_signed_in
from rapport_shared.contracts.interaction import IdentifierType, RecordedAssetKey, RecordedIdentifier
from rapport_shared.normalisation import (
    NormalForm,
    identifier_key,
    normalise_asset_key,
    normalise_identifier,
    phone_region,
    source_record,
)

_ASSET_KINDS = frozenset({"asset.delivered", "asset.serviced", "asset.transferred"})


@dataclass(frozen=True, slots=True)
class Reading:
    """An arrival with its normal forms. `signed_in_at` is the key of the device that somebody signed in at."""

    arrival: Arrival
    identifiers: tuple[RecordedIdentifier, ...]
    assets: tuple[RecordedAssetKey, ...]
    source_record: tuple[str, str] | None
    signed_in_at: str | None

    @property
    def names_nobody(self) -> bool:
        """Whether neither a record nor an identifier can say whose touch it is."""
        return self.source_record is None and not any(identifier.routable for identifier in self.identifiers)

    @property
    def devices(self) -> list[str]:
        """The keys of the devices that it came from."""
        return device_keys(self.identifiers)

    def statement(self, profile_id: Profile) -> Statement | None:
        """What it says of a document, where its record, identifiers or conversation lead to `profile_id`."""
        return stated(self.arrival.touchpoint, self.arrival.occurred_at, profile_id)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Makes the normal forms and keys of a touchpoint's identifiers and assets.

    `default_region` reads the phone numbers of connectors that name neither a region nor a unit. What comes through the
    gateway has the region with it, so that a repeat of the record is read alike whatever the settings are then.
    """

    secret: bytes
    default_region: str | None = None

    def read(self, arrival: Arrival, region_of: Callable[[str], str | None]) -> Reading:
        """The arrival with its normal forms; `region_of` answers a unit's phone region."""
        return Reading(
            arrival,
            self.identifiers(arrival, region_of),
            self.assets(arrival),
            source_record(arrival.touchpoint),
            device_signed_in(self.secret, arrival.touchpoint.kind, arrival.body.get("data")),
        )

    def identifiers(self, arrival: Arrival, region_of: Callable[[str], str | None]) -> tuple[RecordedIdentifier, ...]:
        """The identifiers that the touchpoint names, each once; `region_of` answers a unit's phone region."""
        unit = arrival.touchpoint.unit
        of_unit = arrival.region or (region_of(unit) if unit else None)
        found: dict[str, RecordedIdentifier] = {}
        for identifier in arrival.touchpoint.identifiers:
            region = phone_region(identifier.region, of_unit, self.default_region)
            normal = normalise_identifier(identifier.type, str(identifier.value), region, identifier.system)
            verified = identifier.verified and identifier.type in arrival.may_verify
            recorded = self._recorded(IdentifierType(identifier.type), normal, verified, identifier.system)
            found.setdefault(recorded.key, recorded)
        return tuple(found.values())

    def assets(self, arrival: Arrival) -> tuple[RecordedAssetKey, ...]:
        """The keys of the asset that the touchpoint is about."""
        if arrival.touchpoint.kind not in _ASSET_KINDS:
            return ()
        named = arrival.body["data"]
        return tuple(
            RecordedAssetKey(
                type=key_type,
                key=identifier_key(self.secret, key_type, form.normal),
                raw=form.raw,
                normal=form.normal,
                norm_version=form.norm_version,
            )
            for key_type in ("serial", "plate")
            if named.get(key_type)
            for form in (normalise_asset_key(key_type, named[key_type]),)
        )

    def _recorded(
        self, type_: IdentifierType, form: NormalForm, verified: bool, system: str | None
    ) -> RecordedIdentifier:
        return RecordedIdentifier(
            type=type_,
            key=identifier_key(self.secret, type_, form.normal),
            raw=form.raw,
            normal=form.normal,
            norm_version=form.norm_version,
            verified=verified,
            system=system,
            routable=type_.addressable and form.usable,
        )
