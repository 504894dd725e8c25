//! The conflicts (409) that each operation can answer with. The operation's description lists them, and the API tests
//! check every 409 against this table.

use crate::error::Kind::{self, *};

/// The conflicts of every POST with an `Idempotency-Key`.
pub(super) const OF_REPEATED_REQUESTS: &[Kind] = &[InProgress, AnswerWithheld];

/// An operation's own conflicts; empty if it has none.
pub(super) fn of(operation_id: &str) -> &'static [Kind] {
    match operation_id {
        "request_export" | "change_export" | "get_export_document" | "release_export" => &[InvalidState],
        "register_member" => &[PossibleDuplicate, AlreadyExists],
        "merge_members" => &[MergeConflict],
        "undo_merge" => &[UndoBlocked],
        "invite_member" => &[AlreadyExists],
        "revoke_invitation" => &[InvalidState],
        "change_member" => &[AlreadyExists, QuotaExceeded],
        "create_user" | "create_partner" | "create_site" | "create_venue" => &[AlreadyExists],
        "change_partner" | "change_site" | "change_venue" => &[AlreadyExists],
        "create_space" | "change_space" => &[AlreadyExists],
        "create_relationship" => &[AlreadyExists],
        "change_relationship" | "change_possible_duplicate" => &[InvalidState],
        "make_reset_link" => &[InvalidState],
        "request_erasure" => &[AlreadyExists, QuotaExceeded],
        "execute_erasure" | "hold_erasure" | "resume_erasure" | "decide_retention_review" => &[InvalidState],
        "change_user" => &[AlreadyExists, InvalidState],
        "create_programme" | "change_programme" => &[AlreadyExists],
        "create_calendar_link" => &[InvalidState, QuotaExceeded],
        "rotate_client" => &[InvalidState],
        "create_client" | "record_consent" => &[QuotaExceeded],
        "put_topic" => &[AlreadyExists],
        "put_report_area" => &[AlreadyExists, InvalidState],
        "delete_venue" | "delete_space" => &[InUse],
        "create_hosting" | "change_hosting" => &[HostingOverlap],
        "delete_prescription" => &[InvalidState, InUse],
        "create_prescription" => &[NoConsent, Merged, QuotaExceeded],
        "activate_prescription" => &[InvalidState, NoConsent],
        "change_prescription" | "close_prescription" => &[InvalidState],
        "complete_prescription" | "decline_prescription" => &[InvalidState],
        "add_prescription_item" => &[InvalidState, NoConsent],
        "change_prescription_item" => &[InvalidState],
        "create_session" => &[AlreadyExists, QuotaExceeded, SpaceTaken, VenueClosed],
        "change_session" => &[CapacityBelowSeats, InvalidState, QuotaExceeded, SessionStarted, SpaceTaken, VenueClosed],
        "cancel_session" => &[InvalidState],
        "create_series" => &[AlreadyExists, QuotaExceeded],
        "change_series" | "split_series" => &[AlreadyExists, CapacityBelowSeats, InvalidState, QuotaExceeded],
        "cancel_series" => &[InvalidState],
        "create_booking" => &[
            AlreadyBooked,
            InvalidState,
            NoConsent,
            Merged,
            PartnerNotActive,
            QuotaExceeded,
            ReferralOnly,
            SessionFull,
            SessionStarted,
            TakesNoBookings,
            VenueClosed,
        ],
        "accept_booking" => &[InvalidState, NoConsent, OfferExpired, PartnerNotActive, VenueClosed],
        "decline_booking" => &[InvalidState, OfferExpired],
        "cancel_booking" => &[InvalidState, OfferExpired, SessionStarted],
        "get_join_link" => &[JoinLinkClosed],
        "change_register" => &[InvalidState, SessionNotStarted],
        "take_register" => &[AlreadyExists, InvalidState, PossibleDuplicate, SessionNotStarted],
        "post_roster" => &[ConfirmNeeded, CapacityBelowSeats, SpaceTaken, VenueClosed, InUse, QuotaExceeded],
        _ => &[],
    }
}
