"""`python -m rapport_gateway run | migrate | keys create …`."""

import asyncio
import sys
from argparse import ArgumentParser

from rapport_gateway.access.store.keys import KeyGrant, KeyRevoked, create_key, new_key
from rapport_gateway.app import build
from rapport_gateway.settings import GatewaySettings
from rapport_shared.callers import unknown_scopes
from rapport_shared.clock import system_clock
from rapport_shared.database import Database
from rapport_shared.service import main


def keys(arguments: list[str]) -> None:
    """Makes a key and prints it, once."""
    parser = ArgumentParser(prog="rapport_gateway keys")
    create = parser.add_subparsers(required=True).add_parser("create", help="make an API key and print it")
    create.add_argument("--name", required=True)
    create.add_argument("--channel", default="*", help="a channel, or * for all")
    create.add_argument("--scopes", default="*", help="scopes, separated by commas")
    create.add_argument("--unit", default="", help="a unit; empty for the whole firm")
    create.add_argument("--may-verify", default="", help="identifier types, separated by commas")
    create.add_argument("--key", default=None, help="the key itself; by default a random one")
    create.add_argument("--demo", action="store_true", help="a demo key, which production refuses")
    chosen = parser.parse_args(arguments)
    scopes = [scope for scope in chosen.scopes.split(",") if scope]
    if unknown_scopes(scopes):
        parser.error(f"unknown scopes: {', '.join(unknown_scopes(scopes))}")
    may_verify = [type_ for type_ in chosen.may_verify.split(",") if type_]
    grant = KeyGrant(chosen.name, chosen.channel, scopes, chosen.unit, may_verify, chosen.demo)
    key = chosen.key or new_key()
    try:
        asyncio.run(_store(GatewaySettings().database, key, grant))
    except KeyRevoked as error:
        sys.exit(f"rapport_gateway keys: {error}; choose another")
    print(key)


async def _store(dsn: str, key: str, grant: KeyGrant) -> None:
    async with Database(dsn, size=2, application="rapport-keys") as database, database.transaction() as connection:
        await create_key(connection, key, grant, system_clock())


if sys.argv[1:2] == ["keys"]:
    keys(sys.argv[2:])
else:
    main("gateway", GatewaySettings, build)
