//! The kinds of sessions and series, such as their pillars, deliveries and states.

crate::text_enum! {
    /// Which of the three pillars of the Life Rooms model it belongs to.
    pub enum Pillar {
        /// Courses and workshops: people learn something.
        Learning,
        /// Support that a social prescription leads to, such as advice on housing, debt or work.
        SocialPrescribing,
        /// Being with others, for example to read, to sing or to make something.
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
        /// People just come. It takes no bookings.
        DropIn,
        /// Every member can book a place, or an advisor for them.
        #[default]
        Bookable,
        /// Only a member whose active prescription has an item for it or for its series gets a place. An item that the
        /// member added themself doesn't count.
        ReferralOnly,
    }
    /// Who can see it. To everybody else it doesn't exist.
    #[derive(Default)]
    pub enum Publication {
        /// Admins, advisors and its own partner.
        Draft,
        /// Everybody.
        #[default]
        Published,
        /// Admins, advisors, its own partner, and members with a booking or a prescription item for it. It is in no
        /// public list.
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
