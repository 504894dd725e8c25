"""Loads by partners that post rosters."""

import json
import socket
import time
from functools import partial

import tools
from tools import LATER, SOON, entry

MIB = 2**20
ROSTER_LIMIT = 16 * MIB


def roster(entries):
    return json.dumps({"entries": entries}).encode()


def made(answer):
    return answer.body["sessions"]["created"] if answer.status in (200, 201) else 0


def long_texts(world):
    """1 A roster of 62 KiB: 24 daily series of 2,000 sessions, with a description of 2,400 characters"""
    client, path = world.sender()
    text = ("Stories and poems, read aloud together. " * 60)[:2_400]

    def daily(count, number):
        return [
            entry(at, external_id=f"{number}-{at}", recurrence="FREQ=DAILY;COUNT=2000", description=text)
            for at in range(count)
        ]

    world.begin()
    number = 0
    while world.left():
        # As it was sent at first, then as much as one roster may have.
        for series in (24, 16):
            number += 1
            world.post(client, path, roster(daily(series, number)), f"{series * 2_000:,} sessions")


def many_words(world):
    """2 A roster of 15 MiB: descriptions of 300 different words each"""
    client, path = world.sender()

    def wordy(entries, number):
        words = (f"{number}w{at:x}q" for at in range(entries * 300))
        return roster(
            [
                entry(at, external_id=f"{number}-{at}", description=" ".join(next(words) for _ in range(300)))
                for at in range(entries)
            ]
        )

    # The most words that a roster may have are 300,000.
    bodies = [
        (f"{len(body) / MIB:.0f} MiB", body)
        for body in (wordy(5_400, 1), *(wordy(900, number) for number in (2, 3, 4)))
    ]
    post_in_turn(world, client, path, bodies)


def post_in_turn(world, client, path, bodies):
    """Begins the load: posts these named bodies, one after the other and again, as long as it lasts."""
    world.begin()
    for what, body in bodies * 100:
        if not world.left():
            break
        world.post(client, path, body, what)


def weekly(groups=range(600), title="Group", **more):
    """A year of these weekly groups: 52 sessions each."""
    return [
        entry(
            number,
            title=f"{title} {number}",
            recurrence="FREQ=WEEKLY;COUNT=52",
            description="Stories and poems, read aloud together. Tea and biscuits.",
            **more,
        )
        for number in groups
    ]


def post_a_year(world, client, path):
    first = client.call("POST", path, roster(weekly()), timeout=120)
    world.demand(f"a year's roster is taken (it was answered {first.status})", made(first) == 31_200)


def other_titles(world):
    """3 A year's roster of 31,200 sessions, again and again with other titles"""
    client, path = world.sender()
    post_a_year(world, client, path)
    titles = [roster(weekly(title=title)) for title in ("Reading group", "Circle of readers")]
    world.begin()
    number = 0
    while world.left():
        number += 1
        world.post(client, path, titles[number % 2], "other titles")


def other_hours(world):
    """18 The year's roster again at another hour, all of it, then as much as may be moved or cancelled at once"""
    client, path = world.sender()
    post_a_year(world, client, path)
    world.begin()
    world.post(client, path, roster(weekly(local_start=f"{SOON}T09:30:00")), "31,200 moved")
    hour = 9
    while world.left():
        hour = hour % 12 + 9
        # A roster may move 8,000 sessions. These groups have 7,956.
        moved = weekly(range(153), local_start=f"{SOON}T{hour:02}:30:00")
        answer = world.post(client, path, roster(moved), "7,956 moved")
        world.demand("a part of the roster is moved", answer.status in (201, "none"))
        # The groups that aren't named have 15,600 sessions.
        world.post(client, f"{path}?missing=cancel", roster(moved + weekly(range(153, 300))), "15,600 cancelled")
        world.post(client, path, roster(moved + weekly(range(153, 600))), "15,600 on again")


def slow_bodies(world):
    """7 Roster bodies of 16 MiB, a byte every 4 s: three of one partner, then of three; these but for the end"""
    senders = [world.sender(number) for number in range(3)]
    world.neighbour_posts = True
    part = world.seconds / 3
    world.begin()

    def drip(who, what, until, first):
        client, path = who
        while time.monotonic() < until:
            begun = time.monotonic()
            status = one_slow_body(world.server, client.token, path, until, first)
            world.note(what, tools.Answer(status, None, time.monotonic() - begun, {}))
            # What is refused at once is sent again soon, but not as fast as the machine can.
            time.sleep(max(0, min(0.2, until - time.monotonic())))

    parts = (
        ("of one partner", senders[:1] * 3, b"{"),
        ("of three partners", senders, b"{"),
        ("all but the end", senders, b" " * (ROSTER_LIMIT - 100)),
    )
    for number, (what, sent_by, first) in enumerate(parts, 1):
        until = world.begun + number * part
        world.at_once(*(partial(drip, who, what, until, first) for who in sent_by))


def one_slow_body(server, token, path, until, first):
    """Sends the first of a body and then the rest slowly, until it is answered. Returns the status."""
    with socket.create_connection((server.host, server.port)) as stream:
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {server.host}",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            f"Content-Length: {ROSTER_LIMIT}",
        ]
        try:
            stream.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + first)
        except OSError:
            pass  # It may have been answered already.
        while (left := until - time.monotonic()) > 0:
            stream.settimeout(min(4, left))
            try:
                answer = stream.recv(4096)
                return int(answer.split()[1]) if answer else "hung up"
            except TimeoutError:
                pass
            except OSError:
                return "hung up"
            try:
                stream.sendall(b" ")
            except OSError:
                return "hung up"
    return "still sending"


def never(world):
    """8 Rosters of up to 50,000 entries whose rule never comes: 30 February, from 1900 on"""
    client, path = world.sender()
    world.neighbour_posts = True

    def rules(count, **more):
        return roster(
            [
                entry(
                    number, local_start="1900-01-01T10:00:00", recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", **more
                )
                for number in range(count)
            ]
        )

    bodies = [(f"{count:,} entries", rules(count)) for count in (50_000, 32_000)]
    # Right up to the last part of the search: the rule gives a day, and then none for as long as is looked.
    bodies.append(("with a last day", rules(32_000, additional=[f"{SOON}T10:00:00"])))
    post_in_turn(world, client, path, bodies)


def many_jobs(world):
    """9 Twelve rosters of 15 MiB to be applied later, and a partner that waits for a job of one entry"""
    client, path = world.sender()
    neighbour, own = world.partner("neighbour")
    later = {"Prefer": "respond-async"}
    text = "Tea and biscuits, as ever. " * 12
    body = roster([entry(number, description=f"{number} {text}") for number in range(15 * MIB // 545)])
    world.begin()

    def send():
        world.post(client, path, body, f"{len(body) / MIB:.0f} MiB", headers=later)

    number = 0
    while number < 12 and world.left() > world.seconds / 2:
        send()
        number += 1
    waits, ended = [], True
    while world.left() and ended and len(waits) < 3:
        begun = time.monotonic()
        small = roster([entry(0, external_id="job", title=f"Title {begun}")])
        job = world.post(neighbour, own, small, "the neighbour's job", headers=later)
        ended = job.status == 202 and has_ended(world, neighbour, job.body["id"])
        if ended:
            waits.append(time.monotonic() - begun)
    world.say(f"the neighbour's job ended after {max(waits):.1f} s" if waits else "the neighbour's job did not end")
    world.demand("a partner's small job ends while another partner queues large ones", waits)
    while world.left():
        send()
        time.sleep(0.2)


def has_ended(world, client, job):
    while world.left():
        if client.get(f"/v1/jobs/{job}")["status"] in ("succeeded", "failed"):
            return True
        time.sleep(0.1)
    return False


def lists(world):
    """10 A CSV cell of 16 MiB of |, 8.4 million CSV rows, and 5.5 million empty lists, three at once"""
    senders = [world.sender(number) for number in range(3)]
    head = b"external_id,title,pillar,delivery,local_start,time_zone,duration_minutes,topics\r\n"
    head += f"a,b,community,online,{SOON}T10:00:00,Europe/London,60,".encode()
    cell = head + b"|" * (ROSTER_LIMIT - len(head) - 2) + b"\r\n"
    columns = head.split(b"\r\n")[0] + b"\r\n"
    short = columns + b"x\n" * ((ROSTER_LIMIT - len(columns)) // 2)
    empty = b'{"entries":[' + b"[]," * ((ROSTER_LIMIT - 20) // 3) + b"[]]}"
    one = b'{"entries":[{"topics":[' + b"[]," * ((ROSTER_LIMIT - 40) // 3) + b"[]]}]}"
    bodies = [
        ("a cell of |", cell, "text/csv"),
        ("rows of two bytes", short, "text/csv"),
        ("empty lists", empty, "application/json"),
        ("a list of them", one, "application/json"),
    ]
    world.begin()

    def send(client, path):
        for what, body, media_type in bodies * 1_000:
            if not world.left():
                return
            world.post(client, path, body, what, media_type=media_type)

    world.at_once(*(partial(send, *sender) for sender in senders))


def taken_room(world):
    """14 A draft daily series of 24 hours in a library's room, and a partner that wants the room"""
    client, path = world.sender()
    neighbour, own = world.partner("neighbour")
    place = {"delivery": "in_person", "venue": "library", "space": "The room"}
    whole = entry(
        0,
        recurrence="FREQ=DAILY;COUNT=2000",
        local_start=f"{SOON}T00:00:00",
        duration_minutes=1440,
        publication="draft",
        **place,
    )
    world.begin()
    world.post(client, path, roster([whole]), "the draft")
    answer = world.post(
        neighbour,
        own,
        roster(
            [
                entry(0, external_id="room", local_start=f"{LATER.replace(day=1)}T10:00:00", **place),
                entry(1, external_id="soon", local_start=f"{SOON}T10:00:00", **place),
            ]
        ),
        "who wants the room",
    )
    if answer.status == 201:
        skipped = [skip["reason"] for skip in answer.body["skipped"]]
        world.say(
            "the room is free for them" if not skipped else f"the room is not free for them: {', '.join(skipped)}"
        )
    time.sleep(1)


def drafts(world):
    """4 200,000 sessions of draft series before the first public one, then 16 connections that list sessions"""
    reader = tools.Client(world.server)
    pages = ("/v1/sessions", "/v1/session-series")
    before = [median(reader, page) for page in pages]
    number, wanted = 0, 100
    begun = time.monotonic()
    # One partner may not have so many.
    senders = [world.sender(sender) for sender in range(3)]
    for first in range(0, wanted, 16):
        series = [
            entry(at, recurrence="FREQ=DAILY;COUNT=2000", publication="draft")
            for at in range(first, min(first + 16, wanted))
        ]
        client, path = senders[first // 16 % 3]
        answer = client.call("POST", path, roster(series), timeout=300)
        if not made(answer):
            world.say(f"a roster of drafts was answered {answer.status}")
        number += made(answer)
    world.demand(f"{wanted * 2_000:,} drafts are made", number == wanted * 2_000)
    world.say(f"{number:,} drafts made in {time.monotonic() - begun:.0f} s")
    after = [median(reader, page) for page in pages]
    for page, was, now in zip(pages, before, after):
        world.say(f"{page} {was * 1000:.1f} → {now * 1000:.1f} ms")
        # Passing the drafts one by one cost a quarter of a second.
        world.demand(f"{page} costs what it did without the drafts", now < max(0.03, was * 5))
    world.begin()

    def read():
        client = tools.Client(world.server)
        while world.left():
            world.note("pages", client.call("GET", pages[0], timeout=world.left() + 1))

    world.at_once(*[read] * 16)


def median(client, page):
    """The median of the seconds that a page takes."""
    times = []
    for _ in range(15):
        answer = client.call("GET", page)
        times.append(answer.seconds)
    return sorted(times)[7]
