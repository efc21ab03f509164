"""A file on its way in: it is kept in chunks while it comes, and never as a whole in memory."""

import hashlib
from collections.abc import AsyncIterable
from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from rapport_gateway.imports import store
from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.sheets import refuse_at_once
from rapport_shared.clock import Clock
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Database
from rapport_shared.errors import SHEET_UNREADABLE, Problem

CHUNK_BYTES = 512 * 1024


@dataclass(slots=True)
class _Kept:
    """What has been kept of a file."""

    chunks: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes files in."""

    database: Database
    clock: Clock

    async def take(self, new: store.NewImport, body: AsyncIterable[bytes]) -> UUID:
        """The import of a file, once all of it is kept: the same file for the same request is the same import.

        Raises a 422 for what is no sheet, as soon as its first bytes show it. Nothing is kept of what is refused or
        broken off.
        """
        new = replace(new, import_id=new_id(self.clock()))
        digest, kept = hashlib.sha256(), _Kept()
        try:
            async for chunk in _chunks(body):
                if kept.chunks == 0:
                    await self._begin(new, chunk)
                digest.update(chunk)
                async with self.database.transaction() as connection:
                    await store.add_chunk(connection, new.import_id, kept.chunks, chunk)
                kept.chunks, kept.bytes = kept.chunks + 1, kept.bytes + len(chunk)
            if kept.chunks == 0:
                await self._begin(new, b"")
            async with self.database.transaction() as connection:
                request = _request_digest(new, digest.digest())
                return await store.end_upload(
                    connection, new.import_id, digest.digest(), kept.bytes, request, self.clock()
                )
        except BaseException:
            if kept.chunks:
                async with self.database.transaction() as connection:
                    await store.drop_upload(connection, new.import_id)
            raise

    async def _begin(self, new: store.NewImport, beginning: bytes) -> None:
        try:
            refuse_at_once(beginning)
        except SheetUnreadable as unreadable:
            raise Problem(SHEET_UNREADABLE, unreadable.message, code=unreadable.code) from None
        async with self.database.transaction() as connection:
            await store.begin_upload(connection, new, self.clock())


async def _chunks(body: AsyncIterable[bytes]) -> AsyncIterable[bytes]:
    gathered = bytearray()
    async for piece in body:
        gathered += piece
        while len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered[:CHUNK_BYTES])
            del gathered[:CHUNK_BYTES]
    if gathered:
        yield bytes(gathered)


def _request_digest(new: store.NewImport, file_hash: bytes) -> bytes:
    """What makes two requests ask for the same import; the file's name and who asks do not matter."""
    mapping = None if new.mapping is None else new.mapping.decode()
    as_of = None if new.as_of is None else new.as_of.isoformat()
    terms = [file_hash.hex(), mapping, new.channel, new.system, new.unit, new.historical, as_of]
    return hashlib.sha256(orjson.dumps(terms)).digest()
