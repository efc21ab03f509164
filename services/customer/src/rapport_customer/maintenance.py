"""Maintenance by an operator: recomputing keys after a change of rules, and learning the weights of the matcher.

Both may run beside the service, be stopped at any moment and be repeated.
"""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE
from rapport_customer.commands.profiles import register
from rapport_customer.domain.matching import FEATURES_VERSION, Features, train
from rapport_customer.settings import CustomerSettings
from rapport_shared.clock import Clock, system_clock
from rapport_shared.contracts.customer import HeldIdentifier, ProfileState
from rapport_shared.contracts.interaction import RecordedIdentifier
from rapport_shared.contracts.pii import is_erased
from rapport_shared.database import Database
from rapport_shared.normalisation import NORM_VERSION, identifier_key, normalise_identifier
from rapport_shared.policies import active_document, add_version

PAGE: Final = 200
SAMPLE: Final = 20_000
COMMANDS: Final = ("rekey", "train")

Report = Callable[[str], None]


def main(arguments: Sequence[str]) -> None:
    """The command line of `rekey` and `train`."""
    parser = ArgumentParser(prog="rapport_customer", description="Maintenance of customers' records.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("rekey", help="recompute identifier keys and match features after a change of rules")
    learn = commands.add_parser(
        "train", help="learn the weights of the matcher and store them as a policy version to try"
    )
    learn.add_argument("--sample", type=int, default=SAMPLE, help="profiles to learn from")
    asyncio.run(_run(parser.parse_args(arguments), CustomerSettings()))


async def _run(chosen: Namespace, settings: CustomerSettings) -> None:
    async with Database(settings.database, size=2, application="rapport-maintenance") as database:
        if chosen.command == "rekey":
            changed = await rekey(database, settings.identifier_secret.encode(), system_clock, print)
            print(f"{changed} profiles have new keys. Their former keys still lead to them.")
        else:
            version = await learn_weights(database, chosen.sample, system_clock)
            print(f"Version {version} of the matching policy was created and is not active. Try it: POST")
            print(f'/v1/policies/matching/default/simulate {{"version": {version}}}, then …/activate.')


async def rekey(database: Database, secret: bytes, clock: Clock, report: Report) -> int:
    """Recomputes identifier keys and match features of earlier rules. Returns the number of profiles with new keys.

    If the key of an identifier changes, the profile holds both: the old key stays as a second route. Reads all
    profiles in pages, each in its own transaction. May be repeated: nothing changes the second time.
    """
    changed, done, after = 0, 0, UUID(int=0)
    while page := await store.profiles_after(database, after, PAGE):
        for state in page:
            changed += await _rekey_profile(database, secret, state, clock)
        await _rematch(database, [state.profile_id for state in page])
        done, after = done + len(page), page[-1].profile_id
        report(f"{done} profiles looked at, {changed} with new keys")
    return changed


async def learn_weights(database: Database, sample: int, clock: Clock) -> int:
    """Learns weights from a sample of the base and stores them as a new policy version. Returns its number.

    The version is the active policy with other weights. It is not activated. Source: `matching.train`.
    """
    texts = await store.sample_of_features(database, sample)
    policy = await active_document(database, MATCHING, MATCHING_PLACE)
    weights = await asyncio.to_thread(train, policy.weights, [Features.from_json(text) for text in texts])
    note = f"weights learnt from {len(texts)} profiles"
    async with database.transaction() as connection:
        document = policy.model_copy(update={"weights": weights})
        return await add_version(connection, MATCHING_PLACE, document, note, "train", clock())


async def _rekey_profile(database: Database, secret: bytes, state: ProfileState, clock: Clock) -> bool:
    held = {identifier.key for identifier in state.identifiers}
    new = [made for identifier in state.identifiers if (made := _renew(secret, identifier)) and made.key not in held]
    if not new:
        return False
    async with database.transaction() as connection:
        policy = await active_document(connection, MATCHING, MATCHING_PLACE)
        await register(connection, state.profile_id, "report", new, lambda unchanged: unchanged, policy, clock)
    return True


def _renew(secret: bytes, held: HeldIdentifier) -> RecordedIdentifier | None:
    """The identifier by the present rules; None if it follows them already or its value was erased.

    A phone number without a country code is read from its former normal form, which has the code.
    """
    if held.norm_version >= NORM_VERSION or is_erased(held.raw) or is_erased(held.normal):
        return None
    form = normalise_identifier(held.type, str(held.raw), None, held.system)
    if not form.usable and held.type == "phone":
        form = normalise_identifier(held.type, str(held.normal), None, held.system)
    return RecordedIdentifier(
        type=held.type,
        key=identifier_key(secret, held.type, form.normal),
        raw=held.raw,
        normal=form.normal,
        norm_version=form.norm_version,
        verified=held.verified,
        system=held.system,
        routable=held.type.addressable and form.usable,
    )


async def _rematch(database: Database, profile_ids: Sequence[UUID]) -> None:
    async with database.transaction() as connection:
        outdated = await store.outdated_features(connection, profile_ids, FEATURES_VERSION)
        await store.queue_match(connection, outdated)
