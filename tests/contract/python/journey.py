"""A day at the service through a client that openapi-python-client made of the document: calls as people write them.

Usage: journey.py SEED. `mypy --strict` must pass on it, and it must run.
"""

import datetime
import json
import os
import sys
from typing import TypeVar
from uuid import UUID

from life_rooms_client import AuthenticatedClient, Client
from life_rooms_client.api.auth import get_me, login
from life_rooms_client.api.members import change_member, list_consents, register_member, search_members
from life_rooms_client.api.sessions import create_booking, create_session, get_session, list_sessions
from life_rooms_client.api.venues import change_venue, create_venue, get_venue, list_venues
from life_rooms_client.models import (
    AddressPatch,
    Booking,
    BookingInput,
    ChangedVenue,
    ContactPreferencesPatch,
    Delivery,
    LoggedIn,
    Login,
    Me,
    Member,
    MemberInput,
    MemberPatch,
    MemberRole,
    MemberSearch,
    MemberSearchResult,
    PageConsent,
    PageSession,
    PageVenue,
    Pillar,
    Problem,
    ProblemCode,
    Session,
    SessionInput,
    Venue,
    VenueInput,
    VenueKind,
    VenuePatch,
)
from life_rooms_client.types import Response

T = TypeVar("T")
BASE = os.environ["BASE_URL"]


def the(kind: type[T], answer: object) -> T:
    """The answer, which must be of this kind."""
    assert isinstance(answer, kind), f"{kind.__name__} was expected, not {answer}"
    return answer


def tag(answer: Response[T]) -> str:
    return answer.headers["ETag"]


def logged_in(role: str) -> AuthenticatedClient:
    body = Login(email=f"{role}@example.org", password=os.environ["PASSWORD"])
    token = the(LoggedIn, login.sync(client=Client(base_url=BASE), body=body))
    return AuthenticatedClient(base_url=BASE, token=token.access_token)


def venues(admin: AuthenticatedClient) -> Venue:
    # Every default is sent by this client: none of them may change what the call means.
    page = the(PageVenue, list_venues.sync(client=admin))
    assert page.next_ is None and page.items[0].slug == "central-library"

    body = VenueInput(slug="walton", name="Walton Life Rooms", kind=VenueKind.LIFE_ROOMS_CENTRE, local_authority="Liverpool")
    made = create_venue.sync_detailed(client=admin, body=body)
    venue = the(Venue, made.parsed)
    # An answer states every property, with None where there is nothing.
    assert venue.capacity is None and venue.address.town is None and venue.opening_hours.monday == []

    patch = VenuePatch(address=AddressPatch(town="Liverpool"), capacity=40)
    changed = the(ChangedVenue, change_venue.sync(id=venue.id, client=admin, body=patch, if_match=tag(made)))
    assert (changed.address.town, changed.capacity) == ("Liverpool", 40)

    read = get_venue.sync_detailed(id=venue.id, client=admin)
    cleared = change_venue.sync(id=venue.id, client=admin, body=VenuePatch(capacity=None), if_match=tag(read))
    assert the(ChangedVenue, cleared).capacity is None

    again = the(Problem, create_venue.sync(client=admin, body=body))
    assert again.code is ProblemCode.ALREADY_EXISTS and again.errors[0].pointer == "/slug"
    return venue


def members(advisor: AuthenticatedClient) -> Member:
    born = datetime.date(1961, 4, 2)
    body = MemberInput(given_name="Priya", family_name="Patel", roles=[MemberRole.SERVICE_USER], date_of_birth=born)
    made = register_member.sync_detailed(client=advisor, body=body, idempotency_key="registration-of-priya")
    member = the(Member, made.parsed)
    assert member.contact_preferences.sms is False

    # One preference is changed, and the three others stay.
    both = MemberPatch(contact_preferences=ContactPreferencesPatch(sms=True))
    once = change_member.sync_detailed(id=member.id, client=advisor, body=both, if_match=tag(made))
    assert the(Member, once.parsed).contact_preferences.sms is True
    more = MemberPatch(contact_preferences=ContactPreferencesPatch(post=True))
    then = the(Member, change_member.sync(id=member.id, client=advisor, body=more, if_match=tag(once)))
    assert then.contact_preferences.sms is True and then.contact_preferences.post is True

    found = the(MemberSearchResult, search_members.sync(client=advisor, body=MemberSearch(name="priya")))
    assert [person.id for person in found.items] == [member.id]
    assert the(PageConsent, list_consents.sync(id=member.id, client=advisor)).items == []

    twice = the(Problem, register_member.sync(client=advisor, body=body))
    assert twice.code is ProblemCode.POSSIBLE_DUPLICATE and twice.candidates[0].id == member.id
    return member


def sessions(admin: AuthenticatedClient, advisor: AuthenticatedClient, member: UUID) -> None:
    day = datetime.date.today() + datetime.timedelta(days=40)
    body = SessionInput(
        title="Reading online",
        pillar=Pillar.COMMUNITY,
        delivery=Delivery.ONLINE,
        local_start=f"{day}T14:00:00",
        time_zone="Europe/London",
        duration_minutes=60,
        capacity=1,
    )
    session = the(Session, create_session.sync(client=admin, body=body))
    assert session.venue is None and session.seats_left == 1

    page = the(PageSession, list_sessions.sync(client=advisor, from_=day, to=day))
    assert session.id in [item.id for item in page.items]

    booking = the(Booking, create_booking.sync(id=session.id, client=advisor, body=BookingInput(member_id=member)))
    assert booking.seats == 1
    assert the(Session, get_session.sync(id=session.id, client=advisor)).seats_left == 0
    full = the(Problem, create_booking.sync(id=session.id, client=advisor, body=BookingInput(member_id=member)))
    assert full.code is ProblemCode.ALREADY_BOOKED


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        seed = json.load(file)
    admin, advisor = logged_in("admin"), logged_in("advisor")
    me = the(Me, get_me.sync(client=AuthenticatedClient(base_url=BASE, token=seed["tokens"]["client"])))
    assert "rosters:write" in me.scopes
    venues(admin)
    sessions(admin, advisor, members(advisor).id)


if __name__ == "__main__":
    main()
