"""The load, the kills and the judgement of two-servers.sh, which prepares the database and sets what is read here."""

import calendar
import http.client
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid

WORK, TOKEN, BINARY = os.environ["WORK"], os.environ["TOKEN"], os.environ["LIFE_ROOMS"]
CLIENTS, LONG = int(os.environ["CLIENTS"]), int(os.environ["SECONDS_LONG"])
SEATED, LIVE = {"booked", "offered"}, {"booked", "offered", "waitlisted"}
CANCELLED = {"cancelled_by_member", "cancelled_by_provider"}

sessions = [json.loads(line) for line in open(f"{WORK}/sessions")]
members = open(f"{WORK}/members").read().split()
addresses = [None, None]
over = threading.Event()
faults = []


class Server:
    """One of the two processes; its address changes with each start."""

    def __init__(self, number):
        self.number, self.starts = number, 0
        self.start()

    def start(self):
        self.starts += 1
        log = f"{WORK}/server.{self.number}.{self.starts}.log"
        settings = {"LIFE_ROOMS_BIND": "127.0.0.1:0", "RUST_LOG": "info,life_rooms::access=warn"}
        # The clients share one login, and send more than one may.
        settings |= {"LIFE_ROOMS_CALLER_LIMIT": "0", "LIFE_ROOMS_NETWORK_LIMIT": "0"}
        self.process = subprocess.Popen([BINARY, "serve"], stderr=open(log, "w"), env=os.environ | settings)
        for _ in range(600):
            ready = re.search(r"ready on http://([^ ]+) ", open(log).read())
            if ready:
                addresses[self.number] = ready.group(1)
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"FAILED: server {self.number} did not start: {open(log).read()[-2000:]}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def send(method, path, body=None, key=None, patience=90):
    """Sends until somebody answers, to whichever server, as a client does that has an Idempotency-Key."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key:
        headers["Idempotency-Key"] = key
    began = time.monotonic()
    for attempt in itertools.count():
        if time.monotonic() - began > patience:
            raise RuntimeError(f"{method} {path}: nobody answers")
        connection = http.client.HTTPConnection(random.choice(addresses), timeout=20)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        finally:
            connection.close()
        parsed = json.loads(text)
        in_progress = answer.status == 409 and parsed["type"] == "/problems/in-progress"
        if answer.status == 503 or in_progress:
            time.sleep(0.2)
            continue
        return answer.status, parsed, attempt


class Booking:
    """What a client knows of a booking it made."""

    def __init__(self, answer, session, member, sent, acknowledged):
        self.id, self.session, self.member = answer["id"], session, member
        self.delivery, self.seats, self.first = answer["delivery"], answer["seats"], answer["status"]
        self.sent, self.acknowledged = sent, acknowledged
        # What it must be at the end: the client's last word, and what the service may have made of it since.
        self.may_be = {"booked"} if self.first == "booked" else {"waitlisted", "offered"}


class Client(threading.Thread):
    """Works with members of its own, so that nobody else moves their bookings."""

    def __init__(self, own):
        super().__init__()
        self.own, self.made, self.done = own, {}, 0
        self.bookings = []

    def run(self):
        try:
            while not over.is_set():
                session, member = random.choice(sessions), random.choice(self.own)
                held = self.made.get((session["id"], member))
                self.act(held) if held else self.book(session, member)
                self.done += 1
        except Exception as error:  # whatever it is, the run has failed
            faults.append(f"{type(error).__name__}: {error}")

    def book(self, session, member):
        delivery = random.choice(["in_person", "online"]) if session["online_capacity"] else "in_person"
        party = {"family": random.choice([0, 0, 1])}
        wish = {"member_id": member, "delivery": delivery, "party": party, "if_full": "wait"}
        sent = time.monotonic()
        status, answer, _ = send("POST", f"/v1/sessions/{session['id']}/bookings", wish, str(uuid.uuid4()))
        if status == 201:
            booking = Booking(answer, session["id"], member, sent, time.monotonic())
            self.made[session["id"], member] = booking
            self.bookings.append(booking)
        elif answer["type"] not in ("/problems/session-started", "/problems/session-full"):
            faults.append(f"a booking was refused: {answer}")

    def act(self, booking):
        status, now, _ = send("GET", f"/v1/bookings/{booking.id}")
        if status != 200:
            return faults.append(f"a booking that was acknowledged is gone: {booking.id} {now}")
        luck = random.random()
        if now["status"] == "offered" and luck < 0.8:
            self.answer(booking, "accept" if luck < 0.6 else "decline")
        elif now["status"] in CANCELLED:
            del self.made[booking.session, booking.member]
        elif luck < {"booked": 0.4, "offered": 1, "waitlisted": 0.15}[now["status"]]:
            self.cancel(booking)

    def answer(self, booking, verb):
        status, answer, _ = send("POST", f"/v1/bookings/{booking.id}/{verb}", None, str(uuid.uuid4()))
        if status == 200:
            booking.may_be = {answer["status"]}
            expected = "booked" if verb == "accept" else "cancelled_by_member"
            if answer["status"] != expected:
                faults.append(f"{verb}: {answer}")
        elif answer["type"] != "/problems/offer-expired":
            faults.append(f"an offer that nobody else answers was refused: {verb} {answer}")

    def cancel(self, booking):
        status, answer, again = send("DELETE", f"/v1/bookings/{booking.id}")
        gone = status == 409 and answer["type"] == "/problems/invalid-state"
        if status == 200 or (gone and again and "cancelled_by_member" in answer["detail"]):
            booking.may_be = {"cancelled_by_member"}
        elif gone and "cancelled_by_provider" in answer["detail"]:
            pass  # The session has started in between; whether it has, is judged at the end.
        elif answer["type"] not in ("/problems/session-started", "/problems/offer-expired"):
            faults.append(f"a booking could not be cancelled: {answer}")


def starts(session):
    return calendar.timegm(time.strptime(session["starts_at"], "%Y-%m-%dT%H:%M:%SZ"))


def everything(session):
    path, items = f"/v1/sessions/{session}/bookings?limit=100", []
    while path:
        _, page, _ = send("GET", path)
        items += page["items"]
        path = page["next"]
    return items


def judge(session, made, started):
    """Compares what is there with what was acknowledged."""
    _, shown, _ = send("GET", f"/v1/sessions/{session['id']}")
    there = {booking["id"]: booking for booking in everything(session["id"])}
    live = [booking for booking in there.values() if booking["status"] in LIVE]
    wrong = faults.append
    for booking in made:
        status = there[booking.id]["status"] if booking.id in there else "lost"
        ended = started and status == "cancelled_by_provider" and booking.may_be & {"waitlisted", "offered"}
        if status not in booking.may_be and not ended:
            wrong(f"{booking.id} was to be {booking.may_be} and is {status}")
    known = {booking.id for booking in made}
    if unknown := [booking["id"] for booking in live if booking["id"] not in known]:
        wrong(f"live bookings that nobody was told of: {unknown}")
    if len({booking["member_id"] for booking in live}) != len(live):
        wrong("somebody has two places")
    if len({booking["reference"] for booking in there.values()}) != len(there):
        wrong("two bookings have one reference")
    waiting = [booking for booking in live if booking["status"] == "waitlisted"]
    if shown["waitlist_length"] != len(waiting):
        wrong(f"{shown['waitlist_length']} are counted as waiting, and {len(waiting)} wait")
    if started and [booking for booking in live if booking["status"] != "booked"]:
        wrong("a session has started, and people still wait")
    hybrid = session["online_capacity"] is not None
    for kind in ["in_person", "online"] if hybrid else ["in_person"]:
        online = hybrid and kind == "online"
        taken = shown["online_seats_taken" if online else "seats_taken"]
        most = session["online_capacity" if online else "capacity"]
        held = sum(booking["seats"] for booking in live if booking["status"] in SEATED and booking["delivery"] == kind)
        if taken != held or held > most:
            wrong(f"{kind}: {taken} seats are counted, {held} are held, there are {most}")
        line = sorted((b for b in waiting if b["delivery"] == kind), key=lambda b: b["waitlist_position"])
        places = [booking["waitlist_position"] for booking in line]
        if places != list(range(1, len(line) + 1)):
            wrong(f"{kind}: the places are {places}")
        if line and held + line[0]["seats"] <= most:
            wrong(f"{kind}: the next in line has not been offered the seats that are free")
        in_order(kind, [b for b in made if b.delivery == kind and b.first == "waitlisted"], there, wrong)


def in_order(kind, made, there, wrong):
    """Who was told their place before another asked is before them, or has been served."""
    left = [b for b in made if b.id in there and there[b.id]["status"] == "waitlisted"]
    for first in left:
        place = there[first.id]["waitlist_position"]
        for later in (b for b in made if b.sent > first.acknowledged and b.id in there):
            now = there[later.id]
            if now["status"] in SEATED or (now["status"] == "waitlisted" and now["waitlist_position"] < place):
                wrong(f"{kind}: {later.id} has overtaken {first.id}")


servers = [Server(0), Server(1)]
clients = [Client(members[n::CLIENTS]) for n in range(CLIENTS)]
for client in clients:
    client.start()
end, kills = time.monotonic() + LONG, 0
while time.monotonic() < end:
    time.sleep(random.uniform(0.5, 3))
    victim = random.choice(servers)
    victim.kill()
    kills += 1
    time.sleep(random.uniform(0, 1))
    victim.start()
over.set()
for client in clients:
    client.join()
# The last one's start, and then the look that the servers take at the clock every few seconds.
soon = max((starts(session) for session in sessions if starts(session) < time.time() + 600), default=0)
while time.time() < soon + 1:
    time.sleep(0.5)
for _ in range(60):
    begun = [session for session in sessions if starts(session) < time.time()]
    if all(send("GET", f"/v1/sessions/{session['id']}")[1]["waitlist_length"] == 0 for session in begun):
        break
    time.sleep(1)
made = [booking for client in clients for booking in client.bookings]
for session in sessions:
    judge(session, [booking for booking in made if booking.session == session["id"]], starts(session) < time.time())
for server in servers:
    server.process.terminate()
    server.process.wait()
if faults:
    sys.exit("FAILED: " + "\n".join(dict.fromkeys(faults[:30])))
waited = sum(booking.first == "waitlisted" for booking in made)
print(f"ok  two servers, {CLIENTS} clients, {LONG} s, kill -9 of one of them {kills} times: {sum(c.done for c in clients)} "
      f"actions, {len(made)} bookings of which {waited} waited; none lost, none twice, none out of turn.")
