// Calls as people write them. They must compile with `strict` and `exactOptionalPropertyTypes`; they are never run.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Venue = components["schemas"]["Venue"];
type Session = components["schemas"]["Session"];
type Problem = components["schemas"]["Problem"];

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8080" });

// What is required, and nothing else.
export async function createVenue(): Promise<Venue> {
  const { data, error, response } = await client.POST("/v1/venues", {
    body: { slug: "central-library", name: "Central Library", kind: "library", local_authority: "Liverpool" },
  });
  if (!data) throw new Error(`${response.status} ${describe(error)}`);
  // An answer states every property: none of these may be undefined.
  const town: string | null = data.address.town;
  const capacity: number | null = data.capacity;
  const monday: { opens: string; closes: string }[] = data.opening_hours.monday;
  console.log(town?.toUpperCase(), capacity ?? "no limit", monday.length);
  return data;
}

// One member of a nested object, and one that is cleared.
export async function changeMember(id: string, etag: string) {
  return client.PATCH("/v1/members/{id}", {
    params: { path: { id }, header: { "If-Match": etag } },
    body: { contact_preferences: { sms: true }, pronouns: null },
  });
}

export async function changeVenue(id: string, etag: string) {
  return client.PATCH("/v1/venues/{id}", {
    params: { path: { id }, header: { "If-Match": etag } },
    body: { address: { town: "Bootle" }, opening_hours: { sunday: null }, capacity: null },
  });
}

// What is required can't be cleared.
export async function clearName(id: string, etag: string) {
  return client.PATCH("/v1/venues/{id}", {
    params: { path: { id }, header: { "If-Match": etag } },
    // @ts-expect-error a venue keeps its name
    body: { name: null },
  });
}

// Without If-Match there is no change.
export async function forgetIfMatch(id: string) {
  return client.PATCH("/v1/venues/{id}", {
    // @ts-expect-error If-Match is required
    params: { path: { id } },
    body: { capacity: 12 },
  });
}

export async function registerMember() {
  return client.POST("/v1/members", {
    params: { header: { "Idempotency-Key": "9f1b7f3e" } },
    body: { given_name: "Margaret", family_name: "Reid", roles: ["service_user"] },
  });
}

// Every page of what is on, with filters.
export async function whatIsOn(): Promise<Session[]> {
  const { data } = await client.GET("/v1/sessions", {
    params: { query: { from: "2027-01-05", near: "53.4097,-2.9795", within_km: 5, pillar: "community" } },
  });
  const items: Session[] = data?.items ?? [];
  const next: string | null = data?.next ?? null;
  for (const session of items) {
    const venue: string = session.venue?.name ?? "online";
    const left: number | null = session.seats_left;
    console.log(session.title, venue, left, next);
  }
  return items;
}

export async function book(session: Session): Promise<string> {
  const { data, error } = await client.POST("/v1/sessions/{id}/bookings", {
    params: { path: { id: session.id } },
    body: { if_full: "wait" },
  });
  if (data) return data.reference;
  return describe(error);
}

export async function createSession() {
  return client.POST("/v1/sessions", {
    body: {
      title: "Reading",
      pillar: "community",
      delivery: "online",
      local_start: "2027-06-03T14:00:00",
      time_zone: "Europe/London",
      duration_minutes: 60,
    },
  });
}

export async function postRoster(id: string) {
  return client.POST("/v1/partners/{id}/rosters", {
    params: { path: { id }, query: { dry_run: true } },
    body: {
      entries: [
        {
          external_id: "reading",
          title: "Reading",
          pillar: "community",
          delivery: "online",
          local_start: "2027-06-03T14:00:00",
          time_zone: "Europe/London",
          duration_minutes: 60,
        },
      ],
    },
  });
}

// Every failure is a problem, and its code is one of a list.
function describe(problem: Problem | undefined): string {
  switch (problem?.code) {
    case "session_full":
      return "There is no seat left.";
    case "possible_duplicate":
      return problem.candidates.map((candidate) => candidate.display_name).join(", ");
    // @ts-expect-error no problem has this code
    case "no_such_code":
      return "";
    default:
      return problem?.errors.map((fault) => `${fault.pointer ?? fault.parameter}: ${fault.detail}`).join() ?? "";
  }
}
