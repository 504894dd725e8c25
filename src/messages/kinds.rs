//! What messages tell.

crate::text_enum! {
    /// What a message tells.
    pub enum MessageKind {
        /// How to finish a registration.
        Registration,
        /// That the person who registers has an account already.
        AlreadyRegistered,
        /// How to choose the first password of an account.
        Invitation,
        /// How to choose another password.
        PasswordReset,
        /// How to confirm the new address of an account.
        EmailChange,
        /// That the password was changed.
        PasswordChanged,
        /// That the address was changed; it goes to the old one.
        EmailChanged,
        /// That something about the account may be somebody else's doing.
        SecurityNotice,
        /// That a place is booked.
        Booked,
        /// That a booking waits for a free place.
        Waitlisted,
        /// That a booking was cancelled.
        BookingCancelled,
        /// That a session takes place at another time or in another place.
        Moved,
        /// That a session doesn't take place.
        Cancelled,
        /// That a place is kept for whoever waited.
        Offered,
        /// That the person's record was erased.
        ErasureDone,
        /// That everything that is kept about the member can be read.
        ExportReady,
        /// That the time in which a place is kept is nearly over.
        OfferExpiring,
        /// That a session is on the next day.
        Reminder,
    }
    /// How a message is sent.
    pub enum Channel {
        /// By e-mail.
        Email,
        /// By text message.
        Sms,
    }
    /// What became of a message.
    pub enum MessageStatus {
        /// It waits to be sent.
        Queued,
        /// It is being sent.
        Sending,
        /// It was handed to the mail server.
        Sent,
        /// It wasn't sent; `why` says the reason.
        Skipped,
        /// The mail server refused it, or could not be reached for too long.
        Failed,
    }
}

impl MessageKind {
    /// The kinds that tell of a session.
    pub const OF_SESSIONS: [Self; 8] = [
        Self::Booked,
        Self::Waitlisted,
        Self::BookingCancelled,
        Self::Moved,
        Self::Cancelled,
        Self::Offered,
        Self::OfferExpiring,
        Self::Reminder,
    ];

    /// Whether the message tells of a session. Such a message is sent only to members who allow it. Every other one was
    /// asked for, or warns the owner of an account.
    pub fn is_of_a_session(self) -> bool {
        Self::OF_SESSIONS.contains(&self)
    }
}
