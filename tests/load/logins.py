"""Guesses at passwords from many networks, and logins of people who know theirs: see logins.sh."""

import asyncio
import collections
import json
import os
import sys
import time
import urllib.parse

PEOPLE = [f"person{number}@example.org" for number in range(1, 5)]
PASSWORD = os.environ["PASSWORD"]
# The slowest honest login, in seconds.
LIMIT = float(os.environ.get("LIMIT_SECONDS", "2"))


class Connection:
    """A connection that is kept open, as a browser does."""

    def __init__(self, host, port):
        self.host, self.port, self.streams = host, port, None

    async def log_in(self, email, password, address):
        """The status of a login that comes from this address."""
        body = json.dumps({"email": email, "password": password})
        head = (
            f"POST /v1/auth/login HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"X-Forwarded-For: {address}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        writer.write((head + body).encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = answer.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        await reader.readexactly(int(fields["content-length"]))
        return int(lines[0].split()[1])


async def guess(number, server, until, counts):
    """Guesses again and again: at people who have an account, and at addresses that have none."""
    connection = Connection(*server)
    email = PEOPLE[number % len(PEOPLE)] if number % 2 else f"nobody{number}@example.org"
    while time.monotonic() < until:
        try:
            counts[await connection.log_in(email, f"wrong {number}", f"10.{number // 200}.{number % 200}.7")] += 1
        except (OSError, asyncio.IncompleteReadError):
            connection = Connection(*server)
            counts["hung up"] += 1
        await asyncio.sleep(0.02)


async def honest(number, server, until, times):
    """Logs in twice a second from home."""
    connection = Connection(*server)
    while time.monotonic() < until:
        begun = time.monotonic()
        status = await connection.log_in(PEOPLE[number], PASSWORD, f"192.0.{number}.1")
        times.append((time.monotonic() - begun, status))
        await asyncio.sleep(0.5)


async def main():
    url, seconds, connections = urllib.parse.urlsplit(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    server = (url.hostname, url.port)
    for number, email in enumerate(PEOPLE):
        status = await Connection(*server).log_in(email, PASSWORD, f"192.0.{number}.1")
        assert status == 200, f"{email} could not log in before anything was sent: {status}"
    until = time.monotonic() + seconds
    counts, times = collections.Counter(), []
    guessers = [guess(number, server, until, counts) for number in range(connections)]
    await asyncio.gather(*guessers, *(honest(number, server, until, times) for number in range(len(PEOPLE))))
    slowest = sorted(taken for taken, _ in times)
    statuses = collections.Counter(status for _, status in times)
    print(f"guesses: {dict(counts)}; honest logins: {dict(statuses)}, median "
          f"{slowest[len(slowest) // 2] * 1000:.0f} ms, slowest {slowest[-1] * 1000:.0f} ms")
    return len(times) > 0 and set(statuses) == {200} and slowest[-1] < LIMIT


sys.exit(0 if asyncio.run(main()) else 1)
