"""What others do beside a load: a public list, an audited read and a write, each asked ten times a second.

Each is asked when its time has come, whether or not the one before it has been answered: so what waits is counted as
often as somebody would have waited. The first line of input says whom to ask; after the line "stop" nothing more is
asked. A line of output is a name, when it was asked, how many seconds it took, and its status ("none" for no answer).
"""

import asyncio
import json
import sys
import time

import tools

EVERY = 0.1
# How long an answer is waited for after the load.
PATIENCE = 8


class Pool:
    """Connections that are kept open, as clients do."""

    def __init__(self, host, port):
        self.host, self.port, self.unused = host, port, []

    async def ask(self, *request):
        connection = self.unused.pop() if self.unused else None
        if connection is None or connection.streams is None or time.monotonic() - connection.used > 2:
            return await self.ask_anew(*request)
        try:
            status, _ = await connection.ask(*request)
        except (ConnectionError, asyncio.IncompleteReadError):
            # The server may have closed it just then, because nobody used it.
            return await self.ask_anew(*request)
        self.unused.append(connection)
        return status

    async def ask_anew(self, *request):
        connection = tools.Connection(self.host, self.port)
        status, _ = await connection.ask(*request)
        self.unused.append(connection)
        return status


def report(name, begun, status):
    print(json.dumps([name, begun, time.monotonic() - begun, status]), flush=True)


async def probe(pool, name, *request):
    begun = time.monotonic()
    try:
        report(name, begun, await pool.ask(*request))
    except asyncio.CancelledError:
        report(name, begun, "none")
    except (OSError, asyncio.IncompleteReadError):
        report(name, begun, "hung up")


async def main():
    # The first line is long.
    lines = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    wanted = json.loads(await lines.readline())
    pool = Pool(wanted["host"], wanted["port"])
    stop = asyncio.create_task(lines.readline())
    advisor = {"Authorization": f"Bearer {wanted['advisor']}"}
    posted = advisor | {"Content-Type": "application/json"}
    sessions, members = wanted["sessions"], wanted["members"]
    asked, number, due = set(), 0, time.monotonic()

    def ask(*request):
        task = asyncio.create_task(probe(pool, *request))
        asked.add(task)
        task.add_done_callback(asked.discard)

    while not stop.done():
        ask("list", "GET", "/v1/sessions", {"Accept-Encoding": "gzip"})
        ask("read", "GET", f"/v1/members/{members[number % len(members)]}", advisor)
        # Each member books each session once.
        member, session = members[number // len(sessions)], sessions[number % len(sessions)]
        ask("write", "POST", f"/v1/sessions/{session}/bookings", posted, json.dumps({"member_id": member}).encode())
        if "rosters" in wanted and number % 20 == 0:
            change = wanted["entry"] | {"title": f"Title {number}"}
            ask(
                "roster",
                "POST",
                wanted["rosters"],
                posted | {"Authorization": f"Bearer {wanted['neighbour']}"},
                json.dumps({"entries": [change]}).encode(),
            )
        number += 1
        # Times that were missed are not made up for in a heap.
        due = max(due + EVERY, time.monotonic())
        await asyncio.wait([stop], timeout=max(due - time.monotonic(), 0))
    if asked:
        _, late = await asyncio.wait(asked, timeout=PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


asyncio.run(main())
