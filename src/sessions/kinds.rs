//! The kinds of sessions and series, such as their pillars, deliveries and states.


crate::text_enum! {
    /// Which of the model's pillars it belongs to.
    pub enum Pillar {
        /// Learning.
        Learning,
        /// Social prescribing.
        SocialPrescribing,
        /// Community.
        Community,
    }
    /// How people take part.
    pub enum Delivery {
        /// Face to face, at a venue.
        InPerson,
        /// By a join link.
        Online,
        /// Both at once, with seats of each kind.
        Hybrid,
    }
    /// How people get a place.
    #[derive(Default)]
    pub enum BookingPolicy {
        /// Just come; it takes no bookings.
        DropIn,
        /// Anybody may book.
        #[default]
        Bookable,
        /// Only with an item of a prescription that points at it.
        ReferralOnly,
    }
    /// Who can see it. `draft`: staff and its own partner. `published`: everybody. `unlisted`: staff, its own partner, and
    /// members who have a booking or a prescription item for it. To everybody else an unlisted one doesn't exist.
    #[derive(Default)]
    pub enum Publication {
        /// Staff and the own partner.
        Draft,
        /// Everybody.
        #[default]
        Published,
        /// Staff, the own partner, and members with a booking or a prescription item for it; in no public list.
        Unlisted,
    }
    /// Whether a session takes place, as it is kept and set.
    #[derive(Default)]
    pub enum SessionStatus {
        /// It takes place, or has.
        #[default]
        Scheduled,
        /// It is off.
        Cancelled,
    }
    /// Whether a series goes on.
    #[derive(Default)]
    pub enum SeriesStatus {
        /// As planned.
        #[default]
        Active,
        /// All that was still to come is off.
        Cancelled,
    }
}

crate::described! {
    /// What a session reads as: a scheduled one that has ended is completed.
    #[derive(strum::Display)]
    pub enum SessionState {
        /// It will take place, or does now.
        Scheduled,
        /// It is off.
        Cancelled,
        /// It has ended.
        Completed,
    }
}
