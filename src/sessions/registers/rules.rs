//! What taking a register changes. Decided without a database.

use std::collections::{HashMap, HashSet};

use super::types::RegisterInput;
use crate::db::Id;
use crate::error::Fault;
use crate::sessions::bookings::types::BookingStatus;

/// The status of a booking with this mark.
pub fn status(attended: Option<bool>) -> BookingStatus {
    match attended {
        Some(true) => BookingStatus::Attended,
        Some(false) => BookingStatus::Absent,
        None => BookingStatus::Booked,
    }
}

/// The mark of a booking with this status.
pub fn attended(status: BookingStatus) -> Option<bool> {
    match status {
        BookingStatus::Attended => Some(true),
        BookingStatus::Absent => Some(false),
        _ => None,
    }
}

/// What a register holds before it is taken, and who is known.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// The bookings in it, by id: the member and the status.
    pub bookings: HashMap<Id, (Id, BookingStatus)>,
    /// Its walk-ins, including those that the caller may not see.
    pub walk_ins: Vec<Id>,
    /// Those of the walk-ins and of the members named in the request who exist and whom the caller may see.
    pub visible: HashSet<Id>,
    /// Those of the walk-ins who were erased since, if the caller sees that they came.
    pub erased: HashSet<Id>,
}

/// What taking a register changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The bookings whose status changes: the booking, its member, the new status.
    pub marks: Vec<(Id, Id, BookingStatus)>,
    /// Members to add as walk-ins.
    pub came: Vec<Id>,
    /// Members to remove from the walk-ins.
    pub gone: Vec<Id>,
}

impl Plan {
    /// The members of whom it now says that they were there.
    pub fn attended(&self) -> Vec<Id> {
        let marked = self.marks.iter().filter(|(.., status)| *status == BookingStatus::Attended);
        marked.map(|(_, member, _)| *member).chain(self.came.iter().copied()).collect()
    }
}

/// Works out what changes. People to register on the spot are registered already, and `input` has their ids.
///
/// # Errors
/// Every fault, with its pointer. A member whom the caller may not see gives the same fault as one who doesn't exist.
pub fn plan(input: &RegisterInput, present: &Present) -> Result<Plan, Vec<Fault>> {
    let (mut plan, mut faults) = (Plan::default(), Vec::new());
    let mut marked = HashSet::new();
    for (index, mark) in input.bookings.iter().enumerate() {
        let pointer = format!("/bookings/{index}/booking_id");
        match present.bookings.get(&mark.booking_id) {
            _ if !marked.insert(mark.booking_id) => faults.push(repeated(pointer)),
            None => faults.push(Fault::at(pointer, "unknown_booking", "This session has no such booking.")),
            Some((member, now)) if *now != status(mark.attended) => {
                plan.marks.push((mark.booking_id, *member, status(mark.attended)));
            }
            Some(_) => {}
        }
    }
    let booked: HashSet<Id> = present.bookings.values().map(|(member, _)| *member).collect();
    let there: HashSet<Id> = present.walk_ins.iter().copied().collect();
    let mut named = HashSet::new();
    for (index, walk_in) in input.walk_ins.iter().enumerate() {
        let pointer = format!("/walk_ins/{index}/member_id");
        let Some(member) = walk_in.member_id else {
            faults.push(Fault::at(pointer, "required", "Say who it was."));
            continue;
        };
        if !named.insert(member) {
            faults.push(repeated(pointer));
        } else if !present.visible.contains(&member) && !present.erased.contains(&member) {
            faults.push(Fault::at(pointer, "unknown_member", "There is no such member."));
        } else if booked.contains(&member) {
            faults.push(Fault::at(pointer, "already_booked", "Has a booking. Mark the booking as attended instead."));
        } else if !there.contains(&member) {
            plan.came.push(member);
        }
    }
    let leaves = |member: &&Id| present.visible.contains(member) && !named.contains(member);
    plan.gone = present.walk_ins.iter().filter(leaves).copied().collect();
    if faults.is_empty() { Ok(plan) } else { Err(faults) }
}

fn repeated(pointer: String) -> Fault {
    Fault::at(pointer, "repeated", "Is already in the list.")
}

#[cfg(test)]
mod tests {
    use super::super::types::{Attendance, Headcount, WalkInInput};
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> Id {
        Id(Uuid::from_u128(number))
    }

    fn input(marks: &[(u128, Option<bool>)], walk_ins: &[u128]) -> RegisterInput {
        let attendance =
            |(booking, attended): &(u128, Option<bool>)| Attendance { booking_id: id(*booking), attended: *attended };
        RegisterInput {
            bookings: marks.iter().map(attendance).collect(),
            walk_ins: walk_ins
                .iter()
                .map(|member| WalkInInput { member_id: Some(id(*member)), member: None })
                .collect(),
            headcount: Headcount::default(),
        }
    }

    fn present() -> Present {
        Present {
            bookings: HashMap::from([
                (id(1), (id(11), BookingStatus::Booked)),
                (id(2), (id(12), BookingStatus::Attended)),
            ]),
            walk_ins: vec![id(13), id(14)],
            visible: HashSet::from([id(11), id(13), id(15)]),
            erased: HashSet::new(),
        }
    }

    #[test]
    fn only_marks_that_differ_change_a_booking_and_the_unnamed_stay() {
        let plan = plan(&input(&[(2, Some(true)), (1, Some(false))], &[13]), &present()).unwrap();
        assert_eq!(plan.marks, [(id(1), id(11), BookingStatus::Absent)]);
        assert_eq!((plan.came, plan.gone), (vec![], vec![]));
    }

    #[test]
    fn walk_ins_that_the_caller_cannot_see_stay() {
        let plan = plan(&input(&[], &[15]), &present()).unwrap();
        assert_eq!((plan.came, plan.gone), (vec![id(15)], vec![id(13)]));
    }

    #[test]
    fn walk_ins_who_were_erased_stay_whether_or_not_they_are_named() {
        let present = Present { erased: HashSet::from([id(14)]), ..present() };
        for named in [&[13, 14][..], &[13]] {
            let plan = plan(&input(&[], named), &present).unwrap();
            assert_eq!((plan.came, plan.gone), (vec![], vec![]));
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let faults = plan(&input(&[(1, None), (1, None), (9, None)], &[14, 99, 11, 15, 15]), &present()).unwrap_err();
        let told: Vec<_> = faults.iter().map(|f| (f.pointer.as_deref().unwrap(), f.code.as_ref())).collect();
        let expected = [
            ("/bookings/1/booking_id", "repeated"),
            ("/bookings/2/booking_id", "unknown_booking"),
            ("/walk_ins/0/member_id", "unknown_member"),
            ("/walk_ins/1/member_id", "unknown_member"),
            ("/walk_ins/2/member_id", "already_booked"),
            ("/walk_ins/4/member_id", "repeated"),
        ];
        assert_eq!(told, expected);
    }
}
