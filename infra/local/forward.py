"""Pass TCP connections on: `python -m infra.local.forward LISTEN_HOST LISTEN_PORT PORT`, to PORT on loopback.

Browsers on other machines post images to the object store. Opening the store itself to them would also open
its internal, unauthenticated ports; this opens only its S3 port, where every request is signed.
"""

import asyncio
import sys
from contextlib import closing, suppress

from infra.local.settings import LOOPBACK

_CHUNK = 256 * 1024


async def serve(host: str, port: int, target: int) -> None:
    """Forward every connection to `host`:`port`, both ways, until cancelled."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            onward_reader, onward_writer = await asyncio.open_connection(LOOPBACK, target)
            with closing(onward_writer):
                await asyncio.gather(_pass(reader, onward_writer), _pass(onward_reader, writer))

    server = await asyncio.start_server(connected, host, port)
    async with server:
        await server.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
