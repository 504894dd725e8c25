"""Loads of logins, tokens, bookings and registers."""

import asyncio
import os
import random
import subprocess
import sys
import time
from functools import partial

import tools
from tools import entry


def waiting_for_a_row(world):
    """11 PostgreSQL: 40 bookings that wait for one row, which somebody holds"""
    session = world.known["sessions"][-1]
    hold = f"SELECT 1 FROM sessions WHERE id = '{session}' FOR UPDATE; SELECT pg_sleep({world.seconds + 5})"
    url = world.server.database_url
    world.begin()
    holder = subprocess.Popen(["psql", "-X", "-q", "-d", url, "-c", hold], stdout=subprocess.DEVNULL)
    # The holder sleeps once it has the row.
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    tools.until("somebody holds the row", lambda: tools.psql(url, sleeping) != "0")

    def book(number):
        client = tools.Client(world.server, world.advisor.token)
        member = world.known["members"][number % len(world.known["members"])]
        while world.left():
            world.post(client, f"/v1/sessions/{session}/bookings", {"member_id": member}, "bookings of it")
            time.sleep(0.02)

    try:
        world.at_once(*(partial(book, number) for number in range(40)))
    finally:
        holder.kill()
        holder.wait()


def logins(world):
    """13 400 connections that log in wrongly, each from a network of its own (logins.py)"""
    for number in range(1, 5):
        world.server.create_account(f"person{number}@example.org", "advisor")
    # Honest people are in this load too.
    world.begin(yields=False)
    command = [
        sys.executable,
        tools.HERE / "logins.py",
        f"http://{world.server.host}:{world.server.port}",
        str(max(world.left() - 2, 1)),
        "400",
    ]
    environment = dict(os.environ, PASSWORD=tools.PASSWORD, LIMIT_SECONDS="10" if world.short else "2")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=world.left() + 60)
    world.say(done.stdout.strip() or done.stderr.strip().splitlines()[-1])
    world.demand("people who know their passwords are logged in", done.returncode == 0)


def bookings_beside_a_roster(world):
    """15 PostgreSQL: bookings with a waiting list, and cancellations, beside a roster"""
    client, path = world.sender()
    url = world.server.database_url
    counts = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    rows = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'bookings'"

    def body(title, capacity):
        return {
            "entries": [
                entry(number, title=f"{title} {number}", capacity=capacity, recurrence="FREQ=WEEKLY;COUNT=10")
                for number in range(20)
            ]
        }

    client.must("POST", path, 201, body("Group", 1))
    partner = world.known["partners"]["sender-0"]
    sessions, page = [], f"/v1/sessions?partner_id={partner}&limit=100"
    while page:
        answer = world.admin.get(page)
        sessions += [session["id"] for session in answer["items"]]
        page = answer["next"]
    world.begin()
    deadlocks, before = int(tools.psql(url, counts)), int(tools.psql(url, rows))

    def book(number):
        advisor, chance = tools.Client(world.server, world.advisor.token), random.Random(number)
        wanted = {"member_id": world.known["members"][number], "if_full": "wait"}
        while world.left():
            answer = world.post(advisor, f"/v1/sessions/{chance.choice(sessions)}/bookings", wanted, "bookings")
            if answer.status == 201 and chance.random() < 0.7:
                path = f"/v1/bookings/{answer.body['id']}"
                world.note("cancellations", advisor.call("DELETE", path, timeout=world.left() + 1))

    def plan():
        number = 0
        while world.left():
            number += 1
            world.post(client, path, body(f"Title {number}", 1 + number % 2), "rosters")

    world.at_once(plan, *(partial(book, number) for number in range(len(world.known["members"]))))
    # A connection reports its deadlocks together with the rows that it wrote, up to a second later.
    booked = world.sent["bookings"][0][201]
    tools.until("PostgreSQL has counted all bookings", lambda: int(tools.psql(url, rows)) - before >= booked)
    deadlocks = int(tools.psql(url, counts)) - deadlocks
    world.say(f"{deadlocks} deadlocks")
    world.demand("nothing waits for a deadlock", deadlocks == 0)


def many_tokens(world):
    """16 10,400 tokens of one client, each used once"""
    client = world.known["clients"]["sender-0"]
    form = tools.basic(client) | {"Content-Type": "application/x-www-form-urlencoded"}
    world.begin()

    async def one(connection):
        """Makes a token and uses it. Returns the seconds that its first use takes, or a wrong status."""
        status, body = await connection.ask("POST", "/v1/oauth/token", form, b"grant_type=client_credentials")
        if status != 200:
            return status
        token = tools.json.loads(body)["access_token"]
        begun = time.monotonic()
        status, _ = await connection.ask("GET", "/v1/venues?limit=1", {"Authorization": f"Bearer {token}"})
        return time.monotonic() - begun if status == 200 else status

    async def send(times, number):
        connection = tools.Connection(world.server.host, world.server.port)
        while len(times) < number and world.left():
            took = await one(connection)
            times.append(took)
            world.note("tokens", tools.Answer(200 if isinstance(took, float) else took, None, 0, {}))

    async def alone():
        times = []
        await send(times, 50)
        return sorted(times)[25]

    async def everything():
        first, times = await alone(), []
        await asyncio.gather(*(send(times, 10_400) for _ in range(8)))
        return first, len(times), await alone() if world.left() else None

    first, number, last = asyncio.run(everything())
    world.demand("10,400 tokens are made in time", last)
    if last:
        world.say(f"a new token's first use {first * 1000:.1f} ms, after {number + 50:,} {last * 1000:.1f} ms")
        # Sweeping 10,000 remembered tokens takes milliseconds each time.
        world.demand("a new token costs what it did", last < max(first * 5, 0.02))


def registers(world):
    """17 Registers with 2,400 new people, then with 500"""
    past = (tools.datetime.datetime.now() - tools.datetime.timedelta(days=2)).strftime("%Y-%m-%dT10:%M:00")
    sessions = [
        world.admin.create(
            "/v1/sessions",
            **{key: value for key, value in entry(number).items() if key != "external_id"} | {"local_start": past},
        )["id"]
        for number in range(40)
    ]
    world.begin()
    for number, session in enumerate(sessions):
        for count in (2_400, 500):
            if world.left():
                path, people = f"/v1/sessions/{session}/register", [person(number, at) for at in range(count)]
                tag = world.advisor.call("GET", path).headers.get("ETag", "*")
                taken = {
                    "bookings": [],
                    "walk_ins": people,
                    "headcount": {"beneficiaries": 0, "family": 0, "carers": 0},
                }
                answer = world.advisor.call("PUT", path, taken, headers={"If-Match": tag}, timeout=world.left() + 1)
                world.note(f"{count:,} new people", answer)


def person(number, at):
    word = "".join(chr(97 + (number * 10_007 + at) // 26**place % 26) for place in range(5))
    return {
        "member": {"given_name": word.title(), "family_name": f"{word[::-1].title()}son", "roles": ["service_user"]}
    }
