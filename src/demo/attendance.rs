//! Bookings, walk-ins and registers. They give the published number of people who attended learning sessions in person,
//! and hold much else that must not change this number.

use std::collections::{BTreeMap, HashSet};

use super::people::People;
use super::random::Random;
use super::sessions::{Planned, Sessions};
use super::{ATTENDERS, MAKER, Moment, figures_begin};
use crate::db::Id;
use crate::sessions::bookings::rules::reference;
use crate::sessions::bookings::store::BookingRow;
use crate::sessions::bookings::types::BookingStatus::{self, Absent, Attended, Booked};
use crate::sessions::bookings::types::SeatDelivery::{self, InPerson, Online};
use crate::sessions::registers::headcounts::NewRegister;
use crate::sessions::registers::store::WalkInRow;
use crate::sessions::registers::types::Headcount;
use crate::sessions::types::{BookingPolicy, Delivery, Pillar};

/// The planned bookings, walk-ins and registers.
#[derive(Default)]
pub(super) struct Attendance {
    pub(super) bookings: Vec<BookingRow>,
    pub(super) walk_ins: Vec<WalkInRow>,
    pub(super) registers: Vec<NewRegister>,
}

/// How somebody attends a session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    /// Books a seat with this delivery. The second value is the status that the booking ends up with.
    Book(SeatDelivery, BookingStatus),
    /// Comes without a booking.
    WalkIn,
}

const COMES: Visit = Visit::Book(InPerson, Attended);
const STAYS_AWAY: Visit = Visit::Book(InPerson, Absent);
const COMES_ONLINE: Visit = Visit::Book(Online, Attended);
const WILL_COME: Visit = Visit::Book(InPerson, Booked);

/// Sessions, grouped by what attending them means for the published figure. Each is an index into the list of all.
#[derive(Default)]
struct Pools {
    /// In person or hybrid, learning, in Liverpool or Sefton, since October 2021.
    counted: Vec<usize>,
    /// The same, before October 2021.
    early: Vec<usize>,
    /// The hybrid sessions among `counted`. An online seat there doesn't count.
    hybrid: Vec<usize>,
    online: Vec<usize>,
    /// Learning, in other local authorities.
    elsewhere: Vec<usize>,
    /// In Liverpool or Sefton, but not learning.
    other_pillar: Vec<usize>,
    /// The same as `counted`, in weeks whose figures aren't published yet. Only people who are counted already come
    /// here.
    recent: Vec<usize>,
    upcoming: Vec<usize>,
}

impl Pools {
    fn of(sessions: &[Planned], moment: Moment) -> Self {
        let mut pools = Self::default();
        for (number, session) in sessions.iter().enumerate() {
            let near = matches!(session.local_authority.as_deref(), Some("Liverpool" | "Sefton"));
            let learning = session.pillar == Pillar::Learning;
            let delivery = session.row.delivery;
            if !session.past {
                if delivery == Delivery::InPerson && session.row.booking_policy == BookingPolicy::Bookable {
                    pools.upcoming.push(number);
                }
                continue;
            }
            match (learning, delivery, near) {
                (true, Delivery::Online, _) => pools.online.push(number),
                (true, _, true) if session.row.starts_on < figures_begin() => pools.early.push(number),
                (true, _, true) if session.row.starts_on > moment.given => pools.recent.push(number),
                (true, _, true) => {
                    pools.counted.push(number);
                    if delivery == Delivery::Hybrid {
                        pools.hybrid.push(number);
                    }
                }
                (true, _, false) => pools.elsewhere.push(number),
                (false, _, true) => pools.other_pillar.push(number),
                (false, _, false) => {}
            }
        }
        pools
    }
}

struct Planner<'a> {
    random: &'a mut Random,
    sessions: &'a mut [Planned],
    /// The people who are in a session already.
    taken: HashSet<(usize, Id)>,
    planned: Attendance,
    moment: Moment,
}

pub(super) fn plan(random: &mut Random, sessions: &mut Sessions, people: &People, moment: Moment) -> Attendance {
    let pools = Pools::of(&sessions.sessions, moment);
    let (sessions, planned) = (&mut sessions.sessions, Attendance::default());
    let mut planner = Planner { random, sessions, taken: HashSet::new(), planned, moment };
    for (number, row) in people.members.iter().enumerate() {
        let member = row.id;
        if number < ATTENDERS {
            planner.counted_visits(member, &pools);
        }
        planner.noise(member, &pools, number >= ATTENDERS);
        if number % 16 == 0 {
            planner.go(member, &pools.upcoming, WILL_COME);
        }
    }
    planner.registers();
    planner.planned
}

impl Planner<'_> {
    /// One to four visits, which together count as one person.
    fn counted_visits(&mut self, member: Id, pools: &Pools) {
        for _ in 0..1 + self.random.below(4) {
            let visit = if self.random.chance(85) { COMES } else { Visit::WalkIn };
            self.go(member, &pools.counted, visit);
        }
        if self.random.chance(5) {
            self.go(member, &pools.recent, COMES);
        }
    }

    /// Visits that don't count. With `always` there is at least one: for people who are in no figure.
    fn noise(&mut self, member: Id, pools: &Pools, always: bool) {
        let choices: [(usize, &[usize], Visit); 6] = [
            (20, &pools.counted, STAYS_AWAY),
            (12, &pools.hybrid, COMES_ONLINE),
            (15, &pools.online, COMES_ONLINE),
            (20, &pools.other_pillar, COMES),
            (12, &pools.elsewhere, COMES),
            (6, &pools.early, COMES),
        ];
        let certain = if always { self.random.below(choices.len()) } else { choices.len() };
        for (at, (percent, pool, visit)) in choices.into_iter().enumerate() {
            if self.random.chance(percent) || at == certain {
                self.go(member, pool, visit);
            }
        }
    }

    /// Puts a member into a session that has a seat and doesn't have them yet. The search begins at a random session.
    fn go(&mut self, member: Id, pool: &[usize], visit: Visit) {
        if pool.is_empty() {
            return;
        }
        let start = self.random.below(pool.len());
        for step in 0..pool.len().min(200) {
            let number = pool[(start + step) % pool.len()];
            let visit = match visit {
                // A drop-in session takes no bookings: whoever comes is a walk-in, and nobody can be absent.
                COMES if self.drops_in(number) => Visit::WalkIn,
                visit => visit,
            };
            if self.drops_in(number) && visit != Visit::WalkIn {
                continue;
            }
            if !self.taken.contains(&(number, member)) && self.has_room(number, visit) {
                self.record(number, member, visit);
                return;
            }
        }
        // Every session is full, so the member comes as a walk-in: walk-ins are never refused.
        let number = pool[start];
        if visit == COMES && self.taken.insert((number, member)) {
            self.walk_in(number, member);
        }
    }

    fn drops_in(&self, number: usize) -> bool {
        self.sessions[number].row.booking_policy == BookingPolicy::DropIn
    }

    fn has_room(&self, number: usize, visit: Visit) -> bool {
        let row = &self.sessions[number].row;
        let free = |capacity: Option<i32>, taken: i32| capacity.is_none_or(|capacity| taken < capacity);
        match visit {
            Visit::Book(Online, _) if row.delivery == Delivery::Hybrid => {
                free(row.online_capacity, row.online_seats_taken)
            }
            Visit::Book(..) => free(row.capacity, row.seats_taken),
            Visit::WalkIn => true,
        }
    }

    fn record(&mut self, number: usize, member: Id, visit: Visit) {
        self.taken.insert((number, member));
        match visit {
            Visit::WalkIn => self.walk_in(number, member),
            Visit::Book(delivery, status) => self.book(number, member, delivery, status),
        }
    }

    fn walk_in(&mut self, number: usize, member_id: Id) {
        let row = &self.sessions[number].row;
        self.planned.walk_ins.push(WalkInRow { session_id: row.id, member_id, created_at: row.ends_at });
    }

    fn book(&mut self, number: usize, member_id: Id, delivery: SeatDelivery, status: BookingStatus) {
        let row = &mut self.sessions[number].row;
        if row.delivery == Delivery::Hybrid && delivery == Online {
            row.online_seats_taken += 1;
        } else {
            row.seats_taken += 1;
        }
        let made = row.starts_at.plus_seconds(-3600 * (48 + self.random.below(200) as i64));
        // No booking is made in the future. One of a session to come was made at some time in the last two weeks.
        let latest = self.moment.now.plus_seconds(-60 * (1 + self.random.below(14 * 24 * 60) as i64));
        let made = made.min(latest).max(row.created_at);
        // The number of seats that are taken makes the reference unique within its session. Five bits give a letter.
        let taken = row.seats_taken + row.online_seats_taken;
        let mut letter = || self.random.below(32) as u8;
        let reference = reference([taken as u8, (taken / 32) as u8, letter(), letter(), letter()]);
        let seat = (member_id, delivery);
        let booking = BookingRow::new(self.random.id(made), row.id, seat, reference, MAKER, made);
        self.planned.bookings.push(match status {
            Booked => booking,
            marked => booking.moved(marked, row.ends_at),
        });
    }

    /// A register for every session that somebody booked or came to, and for every music session, to which people come
    /// who aren't members.
    fn registers(&mut self) {
        let marked = self.planned.bookings.iter().filter(|booking| booking.status != Booked);
        let of_bookings = marked.map(|booking| booking.session_id);
        let of_walk_ins = self.planned.walk_ins.iter().map(|walk_in| walk_in.session_id);
        let seen: HashSet<Id> = of_bookings.chain(of_walk_ins).collect();
        let past = self.sessions.iter().filter(|session| session.past);
        let wanted: BTreeMap<Id, (bool, _)> = past
            .filter(|session| session.is_music || seen.contains(&session.row.id))
            .map(|session| (session.row.id, (session.is_music, session.row.ends_at)))
            .collect();
        for (session_id, (is_music, taken)) in wanted {
            let (most_beneficiaries, most_others) = if is_music { (60, 12) } else { (3, 2) };
            let least = if is_music { 10 } else { 0 };
            let headcount = Headcount {
                beneficiaries: (least + self.random.below(most_beneficiaries)) as i32,
                family: self.random.below(most_others) as i32,
                carers: self.random.below(most_others) as i32,
            };
            self.planned.registers.push(NewRegister::new(session_id, headcount, MAKER, taken));
        }
    }
}
