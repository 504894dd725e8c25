"""What every load needs: a server on a database of its own, partners and tokens, calls, memory, and the probes."""

import asyncio
import base64
import collections
import datetime
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).parent
PASSWORD = "a long password of the loads"
# The public sessions of everybody else begin later than 2,000 days from now: a load can place drafts before them.
LATER = datetime.date.today() + datetime.timedelta(days=2_100)
SOON = datetime.date.today() + datetime.timedelta(days=1)
SCOPES = ["rosters:read", "rosters:write", "sessions:write", "bookings:read", "registers:read", "registers:write"]
# Partners that send loads; "neighbour" is somebody honest.
SENDERS = ["sender-0", "sender-1", "sender-2"]


class Trouble(Exception):
    """The load can't be made, and why."""


def psql(url, statement):
    """What PostgreSQL answers to a statement."""
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-d", url, "-c", statement], capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def until(what, holds, seconds=30):
    """Asks again and again whether something holds, until it does."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise Trouble(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Databases:
    """Makes databases: files in a folder, or databases beside the one that a PostgreSQL URL names."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.kind = "PostgreSQL" if url else "SQLite"

    def place(self, name):
        """The URL and the folder of keys of a database with this name. It need not exist."""
        folder = self.folder / name
        if not self.url:
            return f"sqlite://{folder}/load.db", folder / "keys"
        parts = urllib.parse.urlsplit(self.url)
        return parts._replace(path="/" + self.name_of(name)).geturl(), folder / "keys"

    def name_of(self, name):
        return re.sub(r"\W", "_", f"load_{self.folder.name}_{name}").lower()

    def create(self, name, template=None):
        """Makes an empty database, or a copy of another one whose server has stopped."""
        if template:
            shutil.copytree(self.folder / template, self.folder / name)
        else:
            (self.folder / name).mkdir()
        if self.url:
            source = f' TEMPLATE "{self.name_of(template)}"' if template else ""
            psql(self.url, f'CREATE DATABASE "{self.name_of(name)}"{source}')

    def drop(self, name):
        shutil.rmtree(self.folder / name, ignore_errors=True)
        if self.url:
            psql(self.url, f'DROP DATABASE IF EXISTS "{self.name_of(name)}" WITH (FORCE)')


class Server:
    """A running server. General limits of requests are off: what is shown holds without their help."""

    def __init__(self, binary, place, settings=()):
        self.database_url, keys = place
        self.environment = dict(
            os.environ,
            DATABASE_URL=self.database_url,
            LIFE_ROOMS_KEY_DIR=str(keys),
            LIFE_ROOMS_BIND="127.0.0.1:0",
            LIFE_ROOMS_LOG_FORMAT="text",
            RUST_LOG="warn,life_rooms::cli=info",
            LIFE_ROOMS_CALLER_LIMIT="0",
            LIFE_ROOMS_NETWORK_LIMIT="0",
            **dict(settings),
        )
        self.binary, self.log = binary, keys.parent / "server.log"

    def start(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.binary, "serve"], env=self.environment, stderr=log, stdout=log)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            ready = re.search(r"ready on http://([^:\s]+):(\d+)", self.log.read_text(encoding="utf-8"))
            if ready:
                self.host, self.port = ready[1], int(ready[2])
                return self
            time.sleep(0.02)
        raise Trouble(f"the server did not start: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def knows_display_names(self):
        """Whether this binary asks for the name of an advisor: an older one may run beside it."""
        told = subprocess.run([self.binary, "user", "create", "--help"], capture_output=True, text=True)
        return "--display-name" in told.stdout

    def create_account(self, email, role):
        command = [self.binary, "user", "create", "--email", email, "--role", role, "--password-stdin"]
        if role == "advisor" and self.knows_display_names():
            command += ["--display-name", "Dana P."]
        done = subprocess.run(command, input=PASSWORD + "\n", env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Trouble(f"user create: {done.stderr}")

    def memory(self):
        """The resident memory now and the most of it so far, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return tuple(int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024 for name in ("VmRSS", "VmHWM"))

    def stop(self, gently=False):
        if self.process.poll() is None:
            self.process.terminate() if gently else self.process.kill()
        self.process.wait()


Answer = collections.namedtuple("Answer", "status body seconds headers")


class Client:
    """Calls the server over one connection, with one token."""

    def __init__(self, server, token=None):
        self.server, self.token, self.connection = server, token, None

    def call(self, method, path, body=None, media_type="application/json", timeout=60, headers=()):
        """One request. The status is "none" if nothing comes back."""
        sent = dict(headers)
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = media_type
        begun = time.monotonic()
        try:
            # A connection that nobody used may have been closed.
            if self.connection is None or begun - self.used > 2:
                self.connection = http.client.HTTPConnection(self.server.host, self.server.port)
            self.connection.timeout = max(timeout, 0.1)
            if self.connection.sock:
                self.connection.sock.settimeout(self.connection.timeout)
            self.connection.request(method, path, body, sent)
            response = self.connection.getresponse()
            answer, status, fields = response.read(), response.status, response.headers
        except (OSError, http.client.HTTPException):
            self.connection = None
            return Answer("none", None, time.monotonic() - begun, {})
        self.used = time.monotonic()
        if "json" in fields.get("Content-Type", ""):
            answer = json.loads(answer)
        return Answer(status, answer, self.used - begun, fields)

    def get(self, path):
        return self.must("GET", path, 200)

    def must(self, method, path, status, body=None, **more):
        """The answer's body. Anything but this status ends the load."""
        answer = self.call(method, path, body, **more)
        if answer.status != status:
            raise Trouble(f"{method} {path} answered {answer.status}, not {status}: {str(answer.body)[:500]}")
        return answer.body

    def create(self, path, **body):
        return self.must("POST", path, 201, body)


def log_in(server, email):
    return Client(server).must("POST", "/v1/auth/login", 200, {"email": email, "password": PASSWORD})["access_token"]


def basic(client):
    return {"Authorization": "Basic " + base64.b64encode(":".join(client).encode()).decode()}


def client_token(server, client):
    answer = Client(server).must(
        "POST",
        "/v1/oauth/token",
        200,
        b"grant_type=client_credentials",
        media_type="application/x-www-form-urlencoded",
        headers=basic(client),
    )
    return answer["access_token"]


def entry(number, **more):
    """An entry of a roster: one public session online, unless more is said."""
    return {
        "external_id": f"entry-{number}",
        "title": f"Group {number}",
        "pillar": "community",
        "delivery": "online",
        "local_start": time_of(number),
        "time_zone": "Europe/London",
        "duration_minutes": 60,
    } | more


def time_of(number, day=SOON):
    """A local time between 8 and 20 o'clock, another one for each of 720 numbers."""
    return f"{day}T{number % 12 + 8:02}:{number // 12 % 60:02}:00"


def fill(server):
    """What every load finds: accounts, a library with a room, partners with clients, public sessions, members."""
    for role in ("admin", "advisor"):
        server.create_account(f"{role}@example.org", role)
    admin, advisor = (Client(server, log_in(server, f"{role}@example.org")) for role in ("admin", "advisor"))
    known = {"partners": {}, "clients": {}}
    venue = admin.create("/v1/venues", slug="library", name="The library", kind="library", local_authority="Liverpool")
    admin.create(f"/v1/venues/{venue['id']}/spaces", name="The room")
    known["venue"] = venue["id"]
    for slug in ["neighbour", *SENDERS]:
        partner = admin.create("/v1/partners", slug=slug, name=slug, kind="charity")["id"]
        client = admin.create(f"/v1/partners/{partner}/clients", name="scheduling", scopes=SCOPES)
        known["partners"][slug] = partner
        known["clients"][slug] = (client["client_id"], client["client_secret"])
    partner = known["partners"]["neighbour"]
    series = [
        entry(
            number,
            delivery="in_person",
            venue="library",
            capacity=1000,
            recurrence="FREQ=WEEKLY;COUNT=52",
            local_start=time_of(number, LATER),
            description="Stories and poems, read aloud together. Tea and biscuits.",
        )
        for number in range(20)
    ]
    Client(server, client_token(server, known["clients"]["neighbour"])).create(
        f"/v1/partners/{partner}/rosters", entries=series
    )
    known["members"] = [
        advisor.create("/v1/members", given_name=name, family_name=f"{name}son", roles=["service_user"])["id"]
        for name in ("Ada", "Bessie", "Cora", "Dora", "Edith", "Flora")
    ]
    known["sessions"], path = [], f"/v1/sessions?partner_id={partner}&limit=100"
    while path:
        page = advisor.get(path)
        known["sessions"] += [session["id"] for session in page["items"]]
        path = page["next"]
    return known


class World:
    """One load: its server, who takes part, and what came of it."""

    def __init__(self, server, known, seconds, short, idle):
        self.server, self.known, self.seconds, self.short, self.idle = server, known, seconds, short, idle
        self.admin, self.advisor = (
            Client(server, log_in(server, f"{role}@example.org")) for role in ("admin", "advisor")
        )
        # Statuses and the slowest answer of each thing that was sent; sentences; and sentences that must be true.
        self.sent, self.said, self.demands = {}, [], []
        self.probes, self.begun, self.ended = None, None, None
        self.neighbour_posts = False
        self.lock = threading.Lock()

    def sender(self, number=0):
        """A client of one of the partners that send loads, and where it posts rosters."""
        return self.partner(SENDERS[number])

    def partner(self, slug):
        client = Client(self.server, client_token(self.server, self.known["clients"][slug]))
        return client, f"/v1/partners/{self.known['partners'][slug]}/rosters"

    def begin(self, yields=True):
        """All is prepared: measures the probes with nothing beside them, then begins the time of the load."""
        self.probes = Probes(self)
        # A process takes long to start on a busy machine.
        until = time.monotonic() + 60
        while not self.probes.answers and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(self.idle)
        self.memory_before = self.server.memory()[0]
        # A load comes from other machines in life. Here it leaves the processors to the server first.
        if yields:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        self.begun = time.monotonic()

    def left(self):
        """The seconds that the load may still take."""
        return max(self.begun + self.seconds - time.monotonic(), 0)

    def note(self, what, answer):
        """Counts an answer to the load. What had no answer when the time was over isn't a fault of the server."""
        with self.lock:
            statuses, slowest = self.sent.get(what, (collections.Counter(), 0))
            statuses[answer.status] += 1
            self.sent[what] = statuses, max(slowest, answer.seconds)
        return answer

    def post(self, client, path, body, what, **more):
        return self.note(what, client.call("POST", path, body, timeout=self.left() + 1, **more))

    def say(self, sentence):
        self.said.append(sentence)

    def demand(self, sentence, holds):
        """What must hold in this load beside what must hold in all."""
        self.demands.append((sentence, bool(holds)))

    def at_once(self, *works):
        """Does several things at the same time, each in a thread."""
        threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.left() + 10 if self.begun else None)

    def run(self, load):
        """Runs a load, and returns its row."""
        try:
            load(self)
            self.ended = time.monotonic()
            answers = self.probes.stop()
            self.memory_after = self.server.memory()
            alive = self.server.process.poll() is None
        finally:
            if self.probes:
                self.probes.process.kill()
        self.demand("the server still runs", alive)
        return {
            "sent": {
                what: ({str(status): count for status, count in statuses.items()}, slowest)
                for what, (statuses, slowest) in self.sent.items()
            },
            "said": self.said,
            "demands": self.demands,
            "seconds": self.ended - self.begun,
            "memory": [self.memory_before, self.memory_after[1]],
            "probes": {name: self.summary(name, answers) for name in self.probes.names},
        }

    def summary(self, name, answers):
        """What a probe met while it was idle and beside the load."""
        idle = [took for who, begun, took, _ in answers if who == name and begun < self.begun]
        beside = [
            (took, status) for who, begun, took, status in answers if who == name and self.begun <= begun <= self.ended
        ]
        if not idle or not beside:
            raise Trouble(f"the probe {name} was not asked: the load was too short")
        times = [took for took, _ in beside]
        return {
            "idle": statistics.median(idle),
            "idle worst": max(idle),
            "median": statistics.median(times),
            "worst": max(times),
            "count": len(times),
            "other": dict(collections.Counter(str(status) for _, status in beside if not str(status).startswith("2"))),
        }


class Probes:
    """The probes, in a process of their own: what this one does for the load doesn't make them late."""

    def __init__(self, world):
        known, server = world.known, world.server
        self.names = ["list", "read", "write"]
        wanted = {
            "host": server.host,
            "port": server.port,
            "advisor": world.advisor.token,
            "members": known["members"],
            "sessions": known["sessions"],
        }
        if world.neighbour_posts:
            client, path = world.partner("neighbour")
            wanted |= {"neighbour": client.token, "rosters": path, "entry": entry(0, external_id="neighbour")}
            self.names.append("roster")
        self.answers = []
        self.process = subprocess.Popen(
            [sys.executable, HERE / "probes.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.send(wanted)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def send(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def read(self):
        for line in self.process.stdout:
            self.answers.append(json.loads(line))

    def stop(self):
        """Asks no more, waits a while for what was asked, and returns all answers."""
        self.send("stop")
        self.reader.join(40)
        if self.reader.is_alive():
            raise Trouble("the probes did not end")
        return self.answers


class Connection:
    """A connection without threads, for many at once."""

    def __init__(self, host, port):
        self.host, self.port, self.streams, self.used = host, port, None, 0

    async def open(self, buffer=None):
        self.streams = await asyncio.open_connection(self.host, self.port, **({"limit": buffer} if buffer else {}))
        return self.streams

    def send(self, method, path, headers=(), body=b""):
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}",
            *(f"{name}: {value}" for name, value in dict(headers).items()),
        ]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        self.streams[1].write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def ask(self, method, path, headers=(), body=b""):
        """The status and the body of the answer. OSError or IncompleteReadError if there is none."""
        if self.streams is None:
            await self.open()
        self.send(method, path, headers, body)
        return await self.receive()

    async def receive(self):
        reader = self.streams[0]
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        answer = b""
        if "content-length" in fields:
            answer = await reader.readexactly(int(fields["content-length"]))
        elif fields.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                answer += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        self.used = time.monotonic()
        if fields.get("connection") == "close":
            self.close()
        return int(head[0].split()[1]), answer

    def close(self):
        if self.streams:
            self.streams[1].close()
        self.streams = None
