"""Fills a service so that every path of the document has something at it, and says what it made.

Usage: seed.py FILE. Reads LIFE_ROOMS, BASE_URL, ADMIN_EMAIL, ADVISOR_EMAIL, ANALYST_EMAIL and PASSWORD
from the environment.
"""

import datetime
import json
import os
import subprocess
import sys

import requests

BASE = os.environ["BASE_URL"]
PASSWORD = os.environ["PASSWORD"]


def call(method, path, token=None, body=None, expect=(200, 201), **kwargs):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.request(method, BASE + path, headers=headers, json=body, timeout=30, **kwargs)
    if answer.status_code not in expect:
        sys.exit(f"{method} {path} answered {answer.status_code}: {answer.text}")
    return answer.json()


def log_in(email):
    return call("POST", "/v1/auth/login", body={"email": email, "password": PASSWORD})["access_token"]


def made(path, token, **body):
    return call("POST", path, token, body)


admin, advisor, analyst = (log_in(os.environ[f"{role}_EMAIL"]) for role in ("ADMIN", "ADVISOR", "ANALYST"))
future = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()
when = {"time_zone": "Europe/London", "duration_minutes": 60, "pillar": "community"}

venue = made("/v1/venues", admin, slug="central-library", name="Central Library", kind="library",
             local_authority="Liverpool", latitude=53.4097, longitude=-2.9795)
space = made(f"/v1/venues/{venue['id']}/spaces", admin, name="Room 1", capacity=20)
site = made("/v1/sites", admin, slug="central", name="Central")
hosting = made(f"/v1/sites/{site['id']}/hostings", admin, venue_id=venue["id"], starts_on="2021-10-01")
partner = made("/v1/partners", admin, slug="the-reader", name="The Reader", kind="charity")
programme = made(f"/v1/partners/{partner['id']}/programmes", admin, slug="shared-reading", name="Shared Reading")
scopes = ["rosters:read", "rosters:write", "sessions:write", "programmes:write", "bookings:read",
          "registers:read", "registers:write"]
client = made(f"/v1/partners/{partner['id']}/clients", admin, name="scheduling", scopes=scopes)
user = made("/v1/users", admin, email="partner@example.org", role="partner", partner_id=partner["id"], password=PASSWORD)
in_person = {"delivery": "in_person", "venue_id": venue["id"], "partner_id": partner["id"], "capacity": 100}
session = made("/v1/sessions", admin, title="Reading", local_start=f"{future}T14:00:00", **in_person, **when)
series = made("/v1/session-series", admin, title="Choir", local_start=f"{future}T10:00:00",
              recurrence="FREQ=WEEKLY;COUNT=4", **in_person, **when)
member = made("/v1/members", advisor, given_name="Margaret", family_name="Reid", roles=["service_user"])
consent = made(f"/v1/members/{member['id']}/consents", advisor, purpose="share_with_partner", decision="given",
               partner_id=partner["id"], evidence="A signed form")
prescription = made("/v1/prescriptions", advisor, member_id=member["id"], origin="advisor",
                    needs=[{"domain": "loneliness"}], items=[{"kind": "advice", "note": "Read"}])
booking = made(f"/v1/sessions/{session['id']}/bookings", advisor, member_id=member["id"])

# A member's own account is made on the command line.
command = [os.environ["LIFE_ROOMS"], "user", "create", "--email", "member@example.org", "--role", "member",
           "--member", member["id"], "--password-stdin"]
subprocess.run(command, input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)

own = log_in("member@example.org")
export = call("POST", f"/v1/members/{member['id']}/export", own, {"current_password": PASSWORD}, expect=(202,))

basic = (client["client_id"], client["client_secret"])
token = requests.post(BASE + "/v1/oauth/token", auth=basic, data={"grant_type": "client_credentials"}, timeout=30)
roster = made(f"/v1/partners/{partner['id']}/rosters", token.json()["access_token"], entries=[
    {"external_id": "reading", "title": "Reading online", "delivery": "online",
     "local_start": f"{future}T14:00:00", **when}])

seed = {
    "tokens": {"nobody": "", "admin": admin, "advisor": advisor, "analyst": analyst, "member": own,
               "partner": log_in("partner@example.org"), "client": token.json()["access_token"]},
    "basic": basic,
    "ids": {
        "/v1/venues": [venue["id"]], "/v1/venues/*/spaces": [space["id"]], "/v1/sites": [site["id"]],
        "/v1/sites/*/hostings": [hosting["id"]], "/v1/partners": [partner["id"]],
        "/v1/partners/*/programmes": [programme["id"]], "/v1/partners/*/clients": [client["id"]],
        "/v1/partners/*/rosters": [roster["id"]], "/v1/users": [user["id"]], "/v1/sessions": [session["id"]],
        "/v1/session-series": [series["id"]], "/v1/members": [member["id"]],
        "/v1/prescriptions": [prescription["id"]], "/v1/prescriptions/*/items": [prescription["items"][0]["id"]],
        "/v1/bookings": [booking["id"]], "/v1/exports": [export["id"]],
    },
}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(seed, file)
