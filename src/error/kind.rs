//! The table of problems: for each [`Kind`] its status, its type and the text of its page.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A row of the table.
pub struct Spec {
    /// The HTTP status.
    pub status: u16,
    /// The last part of the path of the type: `/problems/<slug>`.
    pub slug: &'static str,
    /// The type in a few words.
    pub title: &'static str,
    /// The text of the page: what the problem means and what to do about it.
    pub help: &'static str,
}

macro_rules! kinds {
    ($($kind:ident: $status:literal, $slug:literal, $title:literal, $help:literal;)+) => {
        /// A kind of failure. Each kind is a problem type with a page of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter)]
        #[expect(missing_docs, reason = "each is described by its row in the table below")]
        pub enum Kind { $($kind),+ }

        impl Kind {
            /// This kind's row.
            pub const fn spec(self) -> Spec {
                match self {
                    $(Self::$kind => Spec { status: $status, slug: $slug, title: $title, help: $help }),+
                }
            }
        }
    };
}

kinds! {
    MalformedRequest: 400, "malformed-request", "The request can't be read", "The body is not well-formed UTF-8 JSON, is nested more than 32 deep, or a header can't be read. Correct the request and send it again.";
    InvalidParameter: 400, "invalid-parameter", "A path or query value is wrong", "A value in the path or the query is wrong, is sent twice, or isn't known to the operation. errors names it.";
    Unauthenticated: 401, "unauthenticated", "Credentials are missing or not valid", "Send Authorization: Bearer with an access token from /v1/auth/login or /v1/oauth/token. Tokens last 15 minutes and end at once when the account is disabled.";
    InvalidClient: 401, "invalid-client", "The API client's credentials are not valid", "The client id or secret is wrong, the client was revoked, or its partner is not active. An admin can make new credentials.";
    TokenRefused: 400, "token-refused", "The token isn't granted", "The token request lacks something, repeats a parameter, or asks for a grant or a scope that the client doesn't have. error is the code of RFC 6749, section 5.2.";
    Forbidden: 403, "forbidden", "This account may not do this", "The role of the account never allows this operation.";
    InsufficientScope: 403, "insufficient-scope", "The token lacks a scope", "Ask for the scope when you get a token. If the client doesn't have the scope, an admin can add it.";
    OriginNotAllowed: 403, "origin-not-allowed", "Pages of this origin may not do this", "A request with the cookie of a refresh token must come from a page of the service itself or of an allowed origin, and have Content-Type: application/json. The service's operator sets LIFE_ROOMS_ALLOWED_ORIGINS.";
    NotFound: 404, "not-found", "Not found", "It does not exist, or you may not see it.";
    MethodNotAllowed: 405, "method-not-allowed", "The path doesn't have this method", "The Allow header lists the methods that the path has.";
    NotAcceptable: 406, "not-acceptable", "No format that you accept", "The path answers in application/json. Allow it in Accept, or leave Accept out.";
    RequestTimeout: 408, "request-timeout", "The body came too slowly", "The whole body did not come in time, so nothing was changed. Send it again.";
    AlreadyExists: 409, "already-exists", "It exists already", "A value that must be unique is already used. errors names it.";
    AlreadyBooked: 409, "already-booked", "The member has a place already", "A member has at most one place in a session.";
    SessionFull: 409, "session-full", "The session is full", "There are not enough seats left for this booking, or others wait for one. Send if_full: wait to join the waiting list.";
    OfferExpired: 409, "offer-expired", "The offer has run out", "An offered seat is kept until offer_expires_at. It then goes to the next person on the waiting list. Book again to join the list.";
    TakesNoBookings: 409, "takes-no-bookings", "The session takes no bookings", "It is a drop-in session. Come without a booking.";
    ReferralOnly: 409, "referral-only", "The session is by referral", "The booking needs an item of an active prescription, and the item must name this session or its series.";
    SessionStarted: 409, "session-started", "The session has started", "This can be done until the session starts.";
    SessionNotStarted: 409, "session-not-started", "The session has not started", "A register is taken once the session has started.";
    JoinLinkClosed: 409, "join-link-closed", "The join link is not open now", "The link can be read from 60 minutes before the session starts until the session ends. detail says when.";
    CapacityBelowSeats: 409, "capacity-below-seats", "More seats than that are taken", "A capacity can't be lower than the number of seats that people hold.";
    SpaceTaken: 409, "space-taken", "Another session uses the space", "A space holds one session at a time. Choose another time, or another space.";
    VenueClosed: 409, "venue-closed", "The venue is closed that day", "The venue is closed on that date, or has no opening hours on that weekday. No session can be placed there on that day, and nobody can be booked to come there. Choose another day, or another venue.";
    PartnerNotActive: 409, "partner-not-active", "The partner isn't active", "The partner that runs the session is paused or ended. Its sessions take no new bookings. Existing bookings stay.";
    NoConsent: 409, "no-consent", "The member wants no support at present", "The member has withdrawn the consent service_delivery. Nothing new can be booked, prescribed or referred for them until they give it again. What stands already stays.";
    PossibleDuplicate: 409, "possible-duplicate", "This person may be registered already", "candidates lists the members that this person may be. If it is somebody else, send the request again with confirm_not_duplicate=true.";
    Merged: 409, "merged", "The record was merged into another", "The person was registered twice, and this record was merged into the one that merged_into names. Send the request again with that id.";
    MergeConflict: 409, "merge-conflict", "The two records can't be merged as they are", "conflicts lists everything that stands in the way, each with the ids that it concerns. Nothing was changed. Put it right and send the request again.";
    UndoBlocked: 409, "undo-blocked", "The merge can't be undone any more", "detail says why: the time for it is over, it was undone before, a later merge of the same record must be undone first, or something was taken meanwhile that the record would need. Nothing was changed.";
    HostingOverlap: 409, "hosting-overlap", "The site is hosted elsewhere at that time", "A site's hostings can't overlap. End the other hosting first.";
    QuotaExceeded: 409, "quota-exceeded", "There would be too much of it", "A partner can have so many series, sessions to come, bytes of text and API clients. A member can have so many drafts, bookings and other things that they make themselves. errors says which quota it is, how much there is, how much the request would add, and the most. A partner's quotas bind staff too when they write for the partner. A partner shortens texts, waits until sessions have passed, revokes a client, or asks the service's operator for more. A member deletes a draft, or asks an advisor.";
    ConfirmNeeded: 409, "confirm-needed", "It would call off more than half", "The roster doesn't name more than half of the partner's sessions to come, and missing=cancel would call them off. detail says how many. Nothing was changed. Look at the roster: it may have been cut short. If it is right, send it again with confirm=cancel.";
    InUse: 409, "in-use", "It is in use", "Other things refer to it, so it can't be deleted. Close it instead.";
    InvalidState: 409, "invalid-state", "The current state doesn't allow this", "detail names the current state and, where there is one, what is possible in it.";
    InProgress: 409, "in-progress", "The same request is still running", "A request with the same Idempotency-Key is still running. Wait, and then send this one again.";
    AnswerWithheld: 409, "answer-withheld", "It was done before, and its answer isn't repeated", "A request with this Idempotency-Key was done before, and nothing was done now. Its answer held data of somebody that the caller may no longer see. If the request made something, detail says where to read it.";
    Erased: 410, "erased", "The person's record was erased", "Everything that told who the person is was deleted at their request. detail says on which day, or that a repeated request isn't done again. Nothing can be done with the record any more.";
    ExportExpired: 410, "export-expired", "The document was removed", "The document of an export is removed seven days after it is ready. Ask for another export.";
    PreconditionFailed: 412, "precondition-failed", "It has changed since you read it", "Read it again and repeat the change with the new ETag in If-Match.";
    PayloadTooLarge: 413, "payload-too-large", "The body is too large", "A body can have at most 256 KiB, a roster at most 16 MiB.";
    UnsupportedMediaType: 415, "unsupported-media-type", "The body is of the wrong type", "Set Content-Type to a media type that the operation accepts.";
    InvalidBody: 422, "invalid-body", "The body breaks a rule", "errors lists every fault, each with a JSON pointer to its place.";
    RosterRefused: 422, "roster-refused", "The roster was refused", "Some entries are wrong. In atomic mode nothing was changed. errors lists the faults. mode=partial would apply the good entries.";
    LinkNotValid: 422, "link-not-valid", "The link can't be used", "It is wrong, was used before, was taken back, or is too old. Ask for a new one.";
    IdempotencyMismatch: 422, "idempotency-mismatch", "The Idempotency-Key was used for another body", "A key stands for one request. Use a new key.";
    PreconditionRequired: 428, "precondition-required", "If-Match is missing", "Send If-Match with the ETag of what you read, so that nobody's change is lost.";
    TooManyRequests: 429, "too-many-requests", "Too many requests", "You, your network or an address that somebody logs in with has used up a limit. Wait as many seconds as Retry-After says. Nothing was changed.";
    TooMuchAtOnce: 429, "too-much-at-once", "Too much of the sender is under way", "A partner, an account without one, and a network without a token each have a share of what the server does: bytes of bodies, rosters that wait for their turn, jobs that have not ended. detail says which is used up. Nothing was changed. Send the request again when something of it has ended.";
    Internal: 500, "internal", "Something went wrong on our side", "It has been logged under the request_id. Trying again may help.";
    Unavailable: 503, "unavailable", "Not available just now", "Nothing was changed. Try again after the seconds in Retry-After.";
    OutcomeUnknown: 503, "outcome-unknown", "It is not known whether it was saved", "Send the request again with the same Idempotency-Key. It is then done exactly once, whether or not it was saved the first time.";
    InsufficientStorage: 507, "insufficient-storage", "The disk is full", "Nothing was changed. The service's operator must free space on the disk.";
}

impl Kind {
    /// The problem's `code`: its name for programs.
    pub fn code(self) -> String {
        self.spec().slug.replace('-', "_")
    }

    /// The kind for the status of an answer that a library made.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 => Self::MalformedRequest,
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            406 => Self::NotAcceptable,
            408 => Self::RequestTimeout,
            413 => Self::PayloadTooLarge,
            415 => Self::UnsupportedMediaType,
            429 => Self::TooManyRequests,
            503 => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

impl PartialSchema for Kind {
    fn schema() -> RefOr<Schema> {
        let codes = <Self as strum::IntoEnumIterator>::iter().map(Self::code);
        let text = "The type of problem, as a name for programs. New names can be added.";
        ObjectBuilder::new().schema_type(Type::String).description(Some(text)).enum_values(Some(codes)).into()
    }
}

impl ToSchema for Kind {
    fn name() -> Cow<'static, str> {
        "ProblemCode".into()
    }
}
