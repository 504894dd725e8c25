"""Times what a stranger asks about a known and an unknown address, in turn.

Arguments: the server, the known address, how many requests of each kind."""

import http.client
import json
import math
import statistics
import sys
import time
import urllib.parse

server, known, times = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3])
unknown = "nobodys" + "@" + known.split("@")[1]
assert len(unknown) == len(known), "both addresses have one length, so that the requests have too"

KINDS = {
    "forgotten password": ("/v1/auth/password-resets", lambda email: {"email": email}),
    "registration": ("/v1/members/self-registration", lambda email: {"email": email, "given_name": "Peg"}),
    "wrong password": ("/v1/auth/login", lambda email: {"email": email, "password": "not the right one"}),
}


def ask(connection, path, body):
    start = time.perf_counter()
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    return time.perf_counter() - start, answer.status, text


def rank_sum(left, right):
    """How many standard deviations the ranks of the two differ from chance (Mann and Whitney)."""
    ranked = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    ranks = sum(place for place, (_, side) in enumerate(ranked, 1) if side == 0)
    n, m = len(left), len(right)
    return (ranks - n * (n + m + 1) / 2) / math.sqrt(n * m * (n + m + 1) / 12)


bad = []
for name, (path, body) in KINDS.items():
    connection = http.client.HTTPConnection(server.hostname, server.port, timeout=30)
    taken, answers = {known: [], unknown: []}, {known: set(), unknown: set()}
    for number in range(times + 20):
        # Each goes first as often as the other.
        for email in (known, unknown) if number % 2 else (unknown, known):
            seconds, status, text = ask(connection, path, body(email))
            problem = json.loads(text)
            problem.pop("request_id", None)
            answers[email].add((status, json.dumps(problem, sort_keys=True)))
            if number >= 20:
                taken[email].append(seconds)
    first, second = (statistics.median(taken[email]) * 1000 for email in (known, unknown))
    z = rank_sum(taken[known], taken[unknown])
    print(f"{name}: known {first:.3f} ms, unknown {second:.3f} ms, ratio {first / second:.3f}, ranks z = {z:+.2f}")
    if answers[known] != answers[unknown]:
        bad.append(f"{name}: the answers differ: {answers}")
    if not 0.95 < first / second < 1.05:
        bad.append(f"{name}: the medians differ by more than 5 %")
if bad:
    sys.exit("\n".join(bad))
