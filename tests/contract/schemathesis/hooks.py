"""Helps schemathesis past what no generator can guess: ids of things that exist, and their ETags of this moment.

What it puts in is chosen by a hash of the generated value, never at random: the tool seeds `random`, and a case that
fails must fail again.
"""

import hashlib
import json
import os
import re

import requests
import schemathesis

with open(os.environ["SEED"], encoding="utf-8") as file:
    SEED = json.load(file)
TOKEN = SEED["tokens"][os.environ["ROLE"]]
SESSION = requests.Session()
SESSION.headers.update({"Authorization": f"Bearer {TOKEN}"} if TOKEN else {})
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def chosen(value, choices):
    """One of the choices, or the value itself: what doesn't exist must be tried too."""
    number = hashlib.sha256(str(value).encode()).digest()[0]
    return choices[number % len(choices)] if choices and number % 4 else value


def known_ids(path, name):
    """The ids of what stands before this parameter in the path."""
    before = path.split("{" + name + "}")[0].rstrip("/")
    return SEED["ids"].get(re.sub(r"\{[^}]+\}", "*", before), [])


@schemathesis.serializer("application/x-ndjson")
def as_lines(context, value):
    """A roster as text: what was generated is the text itself."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, str) and UUID.match(value):
            case.path_parameters[name] = chosen(value, known_ids(path, name))
    for name, value in (case.query or {}).items():
        if name.endswith("_id") and isinstance(value, str) and UUID.match(value):
            case.query[name] = chosen(value, SEED["ids"].get(f"/v1/{name[:-3]}s", []))
    body = case.body if isinstance(case.body, dict) else {}
    for name, value in body.items():
        if name.endswith("_id") and isinstance(value, str) and UUID.match(value):
            body[name] = chosen(value, SEED["ids"].get(f"/v1/{name[:-3]}s", []))
    if case.headers and case.headers.get("If-Match") and case.method in ("PATCH", "PUT", "DELETE", "POST"):
        present = fresh_tag(case)
        if present:
            case.headers["If-Match"] = present


def fresh_tag(case):
    """The ETag of what the case is about; nothing where it can't be read."""
    try:
        path = case.formatted_path if hasattr(case, "formatted_path") else case.operation.path.format(**case.path_parameters)
        if case.method == "POST":
            path = path.rsplit("/", 1)[0]
        return SESSION.get(case.operation.base_url.rstrip("/") + path, timeout=10).headers.get("ETag")
    except (KeyError, ValueError, requests.RequestException):
        return None
