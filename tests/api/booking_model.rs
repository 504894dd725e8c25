//! A plain model of seats, waiting lists and offers, kept apart from the code.

use chrono::TimeDelta;
use life_rooms::db::{Id, Timestamp};
use life_rooms::error::Kind;
use life_rooms::sessions::bookings::types::BookingStatus;

use crate::booking_machine::{MEMBERS, Step};

use BookingStatus::{Absent, Attended, Booked, CancelledByMember, CancelledByProvider, Offered, Waitlisted};

/// A booking as the model knows it, in the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub id: Id,
    pub member: usize,
    pub online: bool,
    pub seats: i32,
    pub status: BookingStatus,
    /// Until when a seat is offered.
    pub until: Option<Timestamp>,
    pub ran_out: bool,
}

impl Place {
    pub fn end(&mut self, status: BookingStatus) {
        (self.status, self.until) = (status, None);
    }
}

/// What the steps before say must be so.
#[derive(Debug, Clone)]
pub struct Model {
    pub places: Vec<Place>,
    pub capacity: [Option<i32>; 2],
    pub starts_at: Timestamp,
    pub called_off: bool,
    pub registered: bool,
    pub closed: bool,
}

impl Model {
    pub fn held(&self, online: bool) -> i32 {
        let holds =
            |place: &&Place| matches!(place.status, Booked | Offered | Attended | Absent) && place.online == online;
        self.places.iter().filter(holds).map(|place| place.seats).sum()
    }

    pub fn waits(&self, online: bool) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.status == Waitlisted && place.online == online)
    }

    pub fn fits(&self, online: bool, seats: i32) -> bool {
        self.capacity[usize::from(online)].is_none_or(|capacity| self.held(online) + seats <= capacity)
    }

    pub fn started(&self, now: Timestamp) -> bool {
        self.starts_at <= now
    }

    /// Offers at a closed venue are taken back. Others end when their time is over, and everything that isn't a place once the session has started.
    pub fn lapse(&mut self, now: Timestamp) {
        let over = self.called_off || self.started(now);
        for place in &mut self.places {
            if place.status == Offered && self.closed && !place.online {
                place.end(Waitlisted);
            }
            if place.status == Offered && (over || place.until.unwrap() <= now) {
                place.ran_out = true;
                place.end(CancelledByProvider);
            } else if place.status == Waitlisted && over {
                place.end(CancelledByProvider);
            }
        }
    }

    pub fn settle(&mut self, now: Timestamp) {
        self.lapse(now);
        if self.called_off || self.started(now) {
            return;
        }
        for place in self.places.iter_mut().filter(|place| place.status == Waitlisted) {
            if self.capacity[usize::from(place.online)].is_some_and(|capacity| capacity < place.seats) {
                place.end(CancelledByProvider);
            }
        }
        let hours = if self.starts_at.0 - now.0 <= TimeDelta::hours(24) { 2 } else { 24 };
        let until = Timestamp((now.0 + TimeDelta::hours(hours)).min(self.starts_at.0));
        for online in if self.closed { &[true][..] } else { &[false, true] } {
            let online = *online;
            while let Some(next) = self.places.iter().position(|p| p.status == Waitlisted && p.online == online) {
                if !self.fits(online, self.places[next].seats) {
                    break;
                }
                (self.places[next].status, self.places[next].until) = (Offered, Some(until));
            }
        }
    }

    /// The step with somebody who is there to take it: one of those whom it is meant for, where it is aimed. `None`
    /// where there is nobody.
    pub fn aim(&self, mut step: Step, aimed: bool) -> Option<Step> {
        let meant = |place: &Place| match step {
            Step::Accept { .. } | Step::Decline { .. } => place.status == Offered,
            Step::Cancel { .. } => matches!(place.status, Booked | Waitlisted | Offered),
            _ => matches!(place.status, Booked | Attended | Absent),
        };
        let apt: Vec<usize> = (0..self.places.len()).filter(|index| meant(&self.places[*index])).collect();
        let has_place = |who: usize| self.places.iter().any(|place| place.member == who && place.status.is_live());
        match &mut step {
            Step::Accept { place }
            | Step::Decline { place }
            | Step::Cancel { place, .. }
            | Step::Mark { place, .. } => {
                *place = match (aimed, apt.len(), self.places.len()) {
                    (true, 0, _) | (_, _, 0) => return None,
                    (true, some, _) => apt[*place % some],
                    (false, _, all) => *place % all,
                };
            }
            Step::Book { member, .. } if aimed => {
                let others = (0..MEMBERS).map(|n| (*member + n) % MEMBERS);
                *member = others.into_iter().find(|who| !has_place(*who)).unwrap_or(*member);
            }
            // A change of what is called off is refused before it gets here.
            Step::Capacity { .. } | Step::Move { .. } if self.called_off => return None,
            _ => {}
        }
        Some(step)
    }

    /// What the offer of a place allows.
    pub fn offer(&self, place: usize, now: Timestamp) -> Result<(), Kind> {
        let place = &self.places[place];
        match place.status {
            Offered if self.started(now) || place.until.unwrap() <= now => Err(Kind::OfferExpired),
            Offered => Ok(()),
            CancelledByProvider if place.ran_out => Err(Kind::OfferExpired),
            _ => Err(Kind::InvalidState),
        }
    }

    /// What becomes of this, and what the code must answer. A refusal changes nothing.
    pub fn take(&self, step: &Step, id: Id, now: Timestamp) -> Result<Self, Kind> {
        let mut next = self.clone();
        match *step {
            Step::Book { member, online, family, carers, wait } => {
                next.settle(now);
                let seats = 1 + family + carers;
                let has_place = next.places.iter().any(|place| place.member == member && place.status.is_live());
                let free = next.waits(online).next().is_none() && next.fits(online, seats);
                let never = next.capacity[usize::from(online)].is_some_and(|capacity| capacity < seats);
                let status = match (free, wait) {
                    _ if next.called_off => return Err(Kind::InvalidState),
                    _ if next.started(now) => return Err(Kind::SessionStarted),
                    _ if next.closed && !online => return Err(Kind::VenueClosed),
                    _ if has_place => return Err(Kind::AlreadyBooked),
                    (true, _) => Booked,
                    (false, true) if !never => Waitlisted,
                    (false, _) => return Err(Kind::SessionFull),
                };
                next.places.push(Place { id, member, online, seats, status, until: None, ran_out: false });
            }
            Step::Cancel { place, provider } => {
                if !self.places[place].status.is_live() {
                    return Err(Kind::InvalidState);
                }
                if self.started(now) {
                    return Err(Kind::SessionStarted);
                }
                if self.places[place].status == Offered {
                    self.offer(place, now)?;
                }
                next.places[place].end(if provider { CancelledByProvider } else { CancelledByMember });
                next.settle(now);
            }
            Step::Accept { place } => {
                let Place { status, online, .. } = self.places[place];
                if self.closed && !online && matches!(status, Offered | Waitlisted) {
                    return Err(Kind::VenueClosed);
                }
                self.offer(place, now)?;
                next.places[place].end(Booked);
                next.settle(now);
            }
            Step::Decline { place } => {
                self.offer(place, now)?;
                next.places[place].end(CancelledByMember);
                next.settle(now);
            }
            Step::Mark { place, attended } => {
                match (self.called_off, self.started(now)) {
                    (true, _) => return Err(Kind::InvalidState),
                    (_, false) => return Err(Kind::SessionNotStarted),
                    _ => next.lapse(now),
                }
                if !matches!(next.places[place].status, Booked | Attended | Absent) {
                    return Err(Kind::InvalidBody);
                }
                next.registered = true;
                next.places[place].status = match attended {
                    None => Booked,
                    Some(true) => Attended,
                    Some(false) => Absent,
                };
            }
            Step::Capacity { online, capacity } => {
                next.lapse(now);
                if capacity.is_some_and(|capacity| capacity < next.held(online)) {
                    return Err(Kind::CapacityBelowSeats);
                }
                next.capacity[usize::from(online)] = capacity;
                next.settle(now);
            }
            Step::Move { hours } => {
                next.starts_at = Timestamp(self.starts_at.0 + TimeDelta::hours(hours));
                for place in &mut next.places {
                    place.until = place.until.map(|until| until.min(next.starts_at));
                }
                next.settle(now);
            }
            Step::Venue { open, followed } => {
                next.closed = !open;
                if followed && !self.started(now) {
                    next.settle(now);
                }
            }
            Step::Clock { .. } => {}
            Step::Task => next.settle(now),
            Step::CallOff => {
                if self.called_off || now.0 >= self.starts_at.0 + TimeDelta::minutes(90) || self.registered {
                    return Err(Kind::InvalidState);
                }
                next.called_off = true;
                for place in next.places.iter_mut().filter(|p| matches!(p.status, Booked | Waitlisted | Offered)) {
                    place.ran_out = place.until.is_some_and(|until| until <= now);
                    place.end(CancelledByProvider);
                }
            }
        }
        Ok(next)
    }

    /// Who has got a seat since has overtaken nobody who waits for the same kind.
    pub fn keeps_the_order_of(&self, before: &Self) {
        for (index, place) in self.places.iter().enumerate() {
            let seated = |place: &Place| matches!(place.status, Booked | Offered | Attended | Absent);
            if seated(place) && !before.places.get(index).is_some_and(seated) {
                let overtaken =
                    self.places[..index].iter().find(|p| p.status == Waitlisted && p.online == place.online);
                assert_eq!(overtaken, None, "{place:?} has overtaken");
            }
        }
    }
}
