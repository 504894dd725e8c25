"""Reads everything that a filled service shows, as everybody, and holds it to the document with Python's jsonschema.

Usage: validate.py DOCUMENT SEED. Reads BASE_URL from the environment.
"""

import json
import os
import re
import sys

import requests
from jsonschema import Draft202012Validator

BASE = os.environ["BASE_URL"]
with open(sys.argv[1], encoding="utf-8") as file:
    DOCUMENT = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    SEED = json.load(file)


def closed(part):
    """The same schemas, without room for properties that they don't name."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    whole = {name: closed(value) for name, value in part.items()}
    if isinstance(part.get("properties"), dict) and "additionalProperties" not in part:
        whole["additionalProperties"] = False
    return whole


COMPONENTS = closed(DOCUMENT["components"])


def resolved(part):
    while "$ref" in part:
        target = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        part = target
    return part


def concrete(path):
    """The path with the ids of what is there; None where nothing is."""
    while match := re.search(r"\{[^}]+\}", path):
        before = re.sub(r"[0-9a-f-]{36}", "*", path[: match.start()].rstrip("/"))
        ids = SEED["ids"].get(before)
        if not ids:
            return None
        path = path[: match.start()] + ids[0] + path[match.end() :]
    return path


for name, schema in DOCUMENT["components"]["schemas"].items():
    Draft202012Validator.check_schema(schema)

checked, wrong = 0, []
for path, item in DOCUMENT["paths"].items():
    if "get" not in item or (address := concrete(path)) is None:
        continue
    for role, token in SEED["tokens"].items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.get(BASE + address, headers=headers, timeout=30)
        kind = answer.headers.get("Content-Type", "").split(";")[0]
        response = resolved(item["get"]["responses"].get(str(answer.status_code), {}))
        content = response.get("content", {}).get(kind)
        at = f"GET {path} as {role}: {answer.status_code} {kind}"
        if content is None:
            wrong.append(f"{at} is not documented")
        elif kind.endswith("json"):
            whole = {"components": COMPONENTS, **closed(content["schema"])}
            validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
            wrong += [f"{at}: {fault.json_path} {fault.message}" for fault in validator.iter_errors(answer.json())]
        checked += 1
print(f"{checked} answers were read")
if wrong or checked < 150:
    sys.exit("\n".join(wrong) or "Too few answers were read")
