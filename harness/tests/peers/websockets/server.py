"""An echo server on the `websockets` package: messages of any size, compression as it comes. It listens on PORT, or on a free one."""

import asyncio
import os

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass  # the peer broke a rule; `websockets` has already failed the connection


async def main():
    wanted = int(os.environ.get("PORT", 0))
    async with serve(echo, "127.0.0.1", wanted, max_size=None, compression="deflate") as server:
        host, port = server.sockets[0].getsockname()
        print(f"ws://{host}:{port}/", flush=True)
        await server.serve_forever()


asyncio.run(main())
