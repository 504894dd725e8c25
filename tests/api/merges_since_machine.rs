//! Random pairs of records are merged, things happen, and the merges are undone: each person has what is theirs.
//!
//! `MERGE_CASES=300` merges as many pairs; 20 without it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use life_rooms::db::schema::{bookings, exports, members, messages, relationships};
use life_rooms::db::{Id, Json};
use life_rooms::messages::queue::Payload;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::exports::make_documents;
use crate::merges::{merge, path, undo};
use crate::merges_machine::{World, pair, register};
use crate::support::{App, id};

/// What happens between a merge and its undoing.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A session is moved in which people may be.
    Move { session: usize, hour: u8 },
    /// Somebody asks for everything that is kept, and it is made.
    Document,
    /// What waits to be told is told.
    Tell,
    /// The record of a friend of both is merged into another, which may have the same relationships.
    MergeFriend { same: bool },
    /// The friend is erased.
    EraseFriend,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..2usize, 10..18u8).prop_map(|(session, hour)| Step::Move { session, hour }),
        Just(Step::Document),
        Just(Step::Tell),
        any::<bool>().prop_map(|same| Step::MergeFriend { same }),
        Just(Step::EraseFriend),
    ];
    prop::collection::vec(step, 1..5)
}

impl World {
    fn friend_of(&self, all: &[&Value]) -> Value {
        let friend =
            register(&self.advisor, &json!({ "given_name": "Friend", "family_name": "Person", "roles": ["carer"] }));
        for member in all {
            let cares = json!({ "from_member": friend["id"], "to_member": member["id"], "kind": "carer_of" });
            self.advisor.post(&format!("{}/relationships", path(member)), &cares).expect(201);
        }
        friend
    }

    fn step(&self, step: Step, into: &Value, friend: &mut Option<Value>) {
        match step {
            Step::Move { session, hour } => {
                let at = format!("/v1/sessions/{}", self.future[session]);
                let start = format!("2026-12-{}T{hour}:00:00", 30 + session);
                let tag = self.advisor.get(&at).etag().to_owned();
                let change = json!({ "local_start": start, "reason": "A larger room" });
                self.advisor.patch(&at, &tag, &change).expect(200);
            }
            Step::Document => {
                let clerk = self.app.advisor_who_may("subject_access");
                let body = json!({ "received_on": "2026-11-27", "how": "By letter" });
                clerk.post(&format!("{}/export", path(into)), &body);
                make_documents(&self.app);
            }
            Step::Tell => drop(self.app.send_messages()),
            Step::MergeFriend { same } => {
                let Some(old) = friend.take() else { return };
                let all = if same { vec![into] } else { Vec::new() };
                let other = self.friend_of(&all);
                merge(&self.advisor, &other, &old).expect(200);
                *friend = Some(other);
            }
            Step::EraseFriend => {
                let Some(gone) = friend.take() else { return };
                let at = crate::erasures::asked(&self.advisor, id(&gone));
                crate::erasures::execute(&self.app.admin(), &at, true).expect(200);
            }
        }
    }

    /// Whose each booking is.
    fn owners(&self) -> BTreeMap<Id, Id> {
        let rows: Vec<(Id, Id)> =
            bookings::table.select((bookings::id, bookings::member_id)).load(&mut self.app.conn()).unwrap();
        rows.into_iter().collect()
    }

    /// Whoever is told of a booking has it, or cares for whoever has it.
    fn told_wrongly(&self) -> Vec<(Id, Id)> {
        let owners = self.owners();
        let whose = (messages::member_id, messages::cared_for, messages::payload);
        let rows: Vec<(Option<Id>, Option<Id>, Json<Payload>)> =
            messages::table.select(whose).load(&mut self.app.conn()).unwrap();
        let told = rows.into_iter().map(|(member, cared_for, payload)| (cared_for.or(member), payload));
        let told = told.filter_map(|(whose, payload)| whose.zip(payload.0.booking_id));
        told.filter(|(member, booking)| owners.get(booking).is_some_and(|owner| owner != member)).collect()
    }

    /// How many relationships name somebody who is gone.
    fn with_the_gone(&self) -> i64 {
        let gone = members::table
            .filter(members::merged_into.is_not_null().or(members::erased_at.is_not_null()))
            .select(members::id);
        let gone: Vec<Id> = gone.load(&mut self.app.conn()).unwrap();
        let named = relationships::from_member.eq_any(&gone).or(relationships::to_member.eq_any(&gone));
        relationships::table.filter(named).count().get_result(&mut self.app.conn()).unwrap()
    }
}

#[test]
fn a_merge_that_is_undone_after_a_while_leaves_to_each_person_what_is_theirs() {
    let cases = std::env::var("MERGE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let (app, _mails) = App::with_mail();
    let world = World::on(app);
    let mut runner = TestRunner::new_with_rng(
        Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let (number, undone) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&(pair(), steps()), |(pair, steps)| {
        number.set(number.get() + 1);
        let (into, from) = world.make(&pair, number.get());
        let mut friend = Some(world.friend_of(&[&into, &from]));
        let before = world.owners();
        let answer = merge(&world.advisor, &into, &from);
        if answer.status == 409 {
            return Ok(());
        }
        let merged = answer.expect(200);
        for (minute, step) in steps.iter().enumerate() {
            world.app.at(&format!("2026-11-27T10:{:02}:00Z", 11 * minute + 1));
            world.step(*step, &into, &mut friend);
        }
        let answer = undo(&world.advisor, &merged);
        if answer.status == 409 {
            let problem = answer.problem(409, "undo-blocked");
            let same = steps.iter().any(|step| matches!(step, Step::MergeFriend { same: true }));
            prop_assert!(same && problem["detail"].as_str().unwrap().contains("relationship"), "{problem:#}");
            return Ok(());
        }
        answer.expect(200);
        undone.set(undone.get() + 1);
        prop_assert_eq!(world.owners(), before);
        prop_assert_eq!(world.told_wrongly(), Vec::new());
        prop_assert_eq!(world.with_the_gone(), 0);
        let both = [&into, &from].map(|member| id(member).parse::<Id>().unwrap());
        let made = exports::table.filter(exports::member_id.eq_any(both)).filter(exports::document.is_not_null());
        prop_assert_eq!(made.count().get_result::<i64>(&mut world.app.conn()).unwrap(), 0);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(undone.get() > cases / 4, "{} were undone", undone.get());
}
