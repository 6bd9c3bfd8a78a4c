"""The loop of a test driver on the `websockets` package: how many cases, each of them as an echo, the reports."""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake


async def main(base, agent):
    async with connect(f"{base}/getCaseCount") as connection:
        count = int(await connection.recv())
    for number in range(1, count + 1):
        url = f"{base}/runCase?case={number}&agent={agent}"
        try:
            async with connect(url, max_size=None, compression="deflate") as connection:
                async for message in connection:
                    await connection.send(message)
        except (ConnectionClosed, InvalidHandshake):
            pass  # the other side broke a rule; `websockets` has already failed the connection
    async with connect(f"{base}/updateReports?agent={agent}&shutdownOnComplete=true") as connection:
        await connection.wait_closed()


asyncio.run(main(*sys.argv[1:]))
