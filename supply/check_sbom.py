"""Checks a bill of materials: check_sbom.py FILE. Standard input has the packages that cargo builds in, as `NAME vVERSION`."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
if error := JsonStrictValidator(SchemaVersion.V1_5).validate_str(text):
    sys.exit(f"{sys.argv[1]} is not CycloneDX 1.5: {str(error).splitlines()[0]}")
bill = json.loads(text)
parts = bill["components"]
named = {f"{part['name']} v{part['version']}" for part in [bill["metadata"]["component"], *parts]}
built = set(sys.stdin.read().splitlines())
if missing := sorted(built - named):
    sys.exit(f"{sys.argv[1]} leaves out {missing}")
if bare := [part["name"] for part in parts if not part.get("licenses") or not part.get("purl")]:
    sys.exit(f"without a licence or an address: {bare}")
# The bill also has what only tests turn on in a library: cargo's metadata doesn't tell them apart.
more = sorted(named - built)
print(f"{sys.argv[1]}: {len(parts)} libraries, each with its licence; beyond what is built in: {', '.join(more) or 'none'}")
