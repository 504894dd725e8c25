"""Loads that ask for long answers, and either read them or don't."""

import asyncio
import collections
import socket
import time

import tools
from tools import entry

# How long somebody who doesn't read keeps a connection open.
UNREAD = 3


def document(world):
    """5 The API's document with brotli: 256 at once read it, and 256 don't"""
    world.begin()
    asyncio.run(ask(world, "/openapi.json", "br, gzip", 256))


def calendars(world):
    """6 Public calendars of 2,000 sessions: 50 at once read them, and 50 don't"""
    client, path = world.sender()
    text = ("Stories and poems, read aloud together. " * 50)[:1_800]
    series = [entry(number, recurrence="FREQ=DAILY;COUNT=360", description=text) for number in range(6)]
    client.must("POST", path, 201, {"entries": series}, timeout=120)
    world.begin()
    asyncio.run(ask(world, path.replace("rosters", "calendar.ics"), "identity", 50))


async def ask(world, path, coding, connections):
    """So many connections read the answer again and again; as many ask for it and don't read."""
    headers, counts, until = {"Accept-Encoding": coding}, collections.Counter(), time.monotonic() + world.left()
    readers = [read(world, path, headers, until) for _ in range(connections)]
    await asyncio.gather(*readers, *(leave_unread(world, path, headers, until, counts) for _ in range(connections)))
    world.say(f"{counts['asked']} asked for and not read")


async def read(world, path, headers, until):
    connection = tools.Connection(world.server.host, world.server.port)
    while (left := until - time.monotonic()) > 0:
        begun = time.monotonic()
        try:
            status, body = await asyncio.wait_for(connection.ask("GET", path, headers), left)
            what = f"read ({len(body) / 1024:,.0f} KiB)" if status == 200 else "read"
        except TimeoutError:
            what, status = "read", "none"
        except (OSError, asyncio.IncompleteReadError):
            what, status = "read", "hung up"
        if status in ("none", "hung up"):
            connection.close()
            connection = tools.Connection(world.server.host, world.server.port)
            await asyncio.sleep(0.05)
        world.note(what, tools.Answer(status, None, time.monotonic() - begun, {}))


async def leave_unread(world, path, headers, until, counts):
    while (left := until - time.monotonic()) > 0:
        # As little as possible is taken off the server's hands.
        stream = socket.socket()
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        stream.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(stream, (world.server.host, world.server.port))
            lines = [
                f"GET {path} HTTP/1.1",
                f"Host: {world.server.host}",
                *(f"{name}: {value}" for name, value in headers.items()),
            ]
            await asyncio.get_running_loop().sock_sendall(stream, "\r\n".join(lines).encode() + b"\r\n\r\n")
            counts["asked"] += 1
            await asyncio.sleep(min(UNREAD, left))
        except OSError:
            await asyncio.sleep(0.05)
        finally:
            stream.close()
