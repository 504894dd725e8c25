//! The table of problems: for each [`Kind`] its status, its type and the text of its page.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A kind of failure. Each kind is a problem type with a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter)]
#[expect(missing_docs, reason = "each is described by its row in the table below")]
pub enum Kind {
    MalformedRequest,
    InvalidParameter,
    Unauthenticated,
    InvalidClient,
    TokenRefused,
    Forbidden,
    InsufficientScope,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    AlreadyExists,
    AlreadyBooked,
    SessionFull,
    OfferExpired,
    TakesNoBookings,
    ReferralOnly,
    SessionStarted,
    SessionNotStarted,
    JoinLinkClosed,
    CapacityBelowSeats,
    SpaceTaken,
    VenueClosed,
    PartnerNotActive,
    PossibleDuplicate,
    HostingOverlap,
    InUse,
    InvalidState,
    InProgress,
    AnswerWithheld,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidBody,
    RosterRefused,
    IdempotencyMismatch,
    PreconditionRequired,
    Internal,
    Unavailable,
    OutcomeUnknown,
    InsufficientStorage,
}

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

const fn spec(status: u16, slug: &'static str, title: &'static str, help: &'static str) -> Spec {
    Spec { status, slug, title, help }
}

impl Kind {
    /// This kind's row.
    #[rustfmt::skip]
    pub const fn spec(self) -> Spec {
        match self {
            Self::MalformedRequest => spec(400, "malformed-request", "The request can't be read", "The body is not well-formed UTF-8 JSON, is nested more than 32 deep, or a header can't be read. Correct the request and send it again."),
            Self::InvalidParameter => spec(400, "invalid-parameter", "A path or query value is wrong", "A value in the path or the query is wrong, is sent twice, or isn't known to the operation. errors names it."),
            Self::Unauthenticated => spec(401, "unauthenticated", "Credentials are missing or not valid", "Send Authorization: Bearer with an access token from /v1/auth/login or /v1/oauth/token. Tokens last 15 minutes and end at once when the account is disabled."),
            Self::InvalidClient => spec(401, "invalid-client", "The API client's credentials are not valid", "The client id or secret is wrong, the client was revoked, or its partner is not active. A site manager can make new credentials."),
            Self::TokenRefused => spec(400, "token-refused", "The token isn't granted", "The token request lacks something, repeats a parameter, or asks for a grant or a scope that the client doesn't have. error is the code of RFC 6749, section 5.2."),
            Self::Forbidden => spec(403, "forbidden", "This account may not do this", "The role of the account never allows this operation."),
            Self::InsufficientScope => spec(403, "insufficient-scope", "The token lacks a scope", "Ask for the scope when you get a token. If the client doesn't have the scope, a site manager can add it."),
            Self::NotFound => spec(404, "not-found", "Not found", "It does not exist, or you may not see it."),
            Self::MethodNotAllowed => spec(405, "method-not-allowed", "The path doesn't have this method", "The Allow header lists the methods that the path has."),
            Self::NotAcceptable => spec(406, "not-acceptable", "No format that you accept", "The path answers in application/json. Allow it in Accept, or leave Accept out."),
            Self::RequestTimeout => spec(408, "request-timeout", "The body came too slowly", "The whole body did not come in time, so nothing was changed. Send it again."),
            Self::AlreadyExists => spec(409, "already-exists", "It exists already", "A value that must be unique is already used. errors names it."),
            Self::AlreadyBooked => spec(409, "already-booked", "The member has a place already", "A member has at most one place in a session."),
            Self::SessionFull => spec(409, "session-full", "The session is full", "There are not enough seats left for this booking, or others wait for one. Send if_full: wait to join the waiting list."),
            Self::OfferExpired => spec(409, "offer-expired", "The offer has run out", "An offered seat is kept until offer_expires_at. It then goes to the next person on the waiting list. Book again to join the list."),
            Self::TakesNoBookings => spec(409, "takes-no-bookings", "The session takes no bookings", "It is a drop-in session. Come without a booking."),
            Self::ReferralOnly => spec(409, "referral-only", "The session is by referral", "The booking needs an item of an active prescription, and the item must name this session or its series."),
            Self::SessionStarted => spec(409, "session-started", "The session has started", "This can be done until the session starts."),
            Self::SessionNotStarted => spec(409, "session-not-started", "The session has not started", "A register is taken once the session has started."),
            Self::JoinLinkClosed => spec(409, "join-link-closed", "The join link is not open now", "The link can be read from 60 minutes before the session starts until the session ends. detail says when."),
            Self::CapacityBelowSeats => spec(409, "capacity-below-seats", "More seats than that are taken", "A capacity can't be lower than the number of seats that people hold."),
            Self::SpaceTaken => spec(409, "space-taken", "Another session uses the space", "A space holds one session at a time. Choose another time, or another space."),
            Self::VenueClosed => spec(409, "venue-closed", "The venue is closed that day", "The venue is closed on that date, or has no opening hours on that weekday. No session can be placed there on that day, and nobody can be booked to come there. Choose another day, or another venue."),
            Self::PartnerNotActive => spec(409, "partner-not-active", "The partner isn't active", "The partner that runs the session is paused or ended. Its sessions take no new bookings. Existing bookings stay."),
            Self::PossibleDuplicate => spec(409, "possible-duplicate", "This person may be registered already", "candidates lists the members that this person may be. If it is somebody else, send the request again with confirm_not_duplicate=true."),
            Self::HostingOverlap => spec(409, "hosting-overlap", "The site is hosted elsewhere at that time", "A site's hostings can't overlap. End the other hosting first."),
            Self::InUse => spec(409, "in-use", "It is in use", "Other things refer to it, so it can't be deleted. Close it instead."),
            Self::InvalidState => spec(409, "invalid-state", "The current state doesn't allow this", "detail names the current state."),
            Self::InProgress => spec(409, "in-progress", "The same request is still running", "A request with the same Idempotency-Key is still running. Wait, and then send this one again."),
            Self::AnswerWithheld => spec(409, "answer-withheld", "It was done before, and its answer isn't repeated", "A request with this Idempotency-Key was done before, and nothing was done now. Its answer held data of a member who no longer consents to share it. If the request made something, detail says where to read it."),
            Self::PreconditionFailed => spec(412, "precondition-failed", "It has changed since you read it", "Read it again and repeat the change with the new ETag in If-Match."),
            Self::PayloadTooLarge => spec(413, "payload-too-large", "The body is too large", "A body can have at most 256 KiB, a roster at most 16 MiB."),
            Self::UnsupportedMediaType => spec(415, "unsupported-media-type", "The body is of the wrong type", "Set Content-Type to a media type that the operation accepts."),
            Self::InvalidBody => spec(422, "invalid-body", "The body breaks a rule", "errors lists every fault, each with a JSON pointer to its place."),
            Self::RosterRefused => spec(422, "roster-refused", "The roster was refused", "Some entries are wrong. In atomic mode nothing was changed. errors lists the faults. mode=partial would apply the good entries."),
            Self::IdempotencyMismatch => spec(422, "idempotency-mismatch", "The Idempotency-Key was used for another body", "A key stands for one request. Use a new key."),
            Self::PreconditionRequired => spec(428, "precondition-required", "If-Match is missing", "Send If-Match with the ETag of what you read, so that nobody's change is lost."),
            Self::Internal => spec(500, "internal", "Something went wrong on our side", "It has been logged under the request_id. Trying again may help."),
            Self::Unavailable => spec(503, "unavailable", "Not available just now", "Nothing was changed. Try again after the seconds in Retry-After."),
            Self::OutcomeUnknown => spec(503, "outcome-unknown", "It is not known whether it was saved", "Send the request again with the same Idempotency-Key. It is then done exactly once, whether or not it was saved the first time."),
            Self::InsufficientStorage => spec(507, "insufficient-storage", "The disk is full", "Nothing was changed. The service's operator must free space on the disk."),
        }
    }

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
