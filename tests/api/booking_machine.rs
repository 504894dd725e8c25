//! Any sequence of bookings, waiting, offers, capacities, moves, marks and clocks keeps the invariants: the code against
//! a model that is kept apart from it.
//!
//! `BOOKING_CASES=5000` runs as many sequences; 25 without it.

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::auth::reach::Reach;
use life_rooms::clock::{Clock, london_day};
use life_rooms::config::OfferHours;
use life_rooms::db::schema::{bookings, registers as register_rows, sessions, venues};
use life_rooms::db::{Conn, Id, LocalTime, Timestamp};
use life_rooms::error::{Error, Kind};
use life_rooms::sessions::activity::Activity;
use life_rooms::sessions::bookings::rules::Terms;
use life_rooms::sessions::bookings::store::Booker;
use life_rooms::sessions::bookings::types::{BookingInput, BookingStatus, SeatDelivery};
use life_rooms::sessions::bookings::waiting::{Positions, Taker};
use life_rooms::sessions::bookings::{store, waiting};
use life_rooms::sessions::registers::store as registers;
use life_rooms::sessions::registers::types::RegisterInput;
use life_rooms::sessions::store::Revision;
use life_rooms::sessions::store::{self as session_store};
use life_rooms::sessions::types::SessionChange;
use life_rooms::sessions::wordings::Wording;
use life_rooms::sessions::{listings, rules as session_rules};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::booking_model::{Model, Place};
use crate::support::{App, SessionSeed, id, instant, member_row, session_row, venue};

const HOURS: OfferHours = OfferHours { usual: 24, late: 2 };

const STARTS: &str = "2026-11-30T13:00:00Z";

pub const MEMBERS: usize = 12;

#[derive(Debug, Clone)]
pub enum Step {
    Book {
        member: usize,
        online: bool,
        family: i32,
        carers: i32,
        wait: bool,
    },
    Cancel {
        place: usize,
        provider: bool,
    },
    Accept {
        place: usize,
    },
    Decline {
        place: usize,
    },
    Mark {
        place: usize,
        attended: Option<bool>,
    },
    Capacity {
        online: bool,
        capacity: Option<i32>,
    },
    Move {
        hours: i64,
    },
    Clock {
        minutes: i64,
    },
    Task,
    CallOff,
    /// The venue closes or opens; whether whoever waits is thought of in the same transaction. If not, it is as if
    /// offers were made beside the closing.
    Venue {
        open: bool,
        followed: bool,
    },
}

/// A step, and whether it is aimed at somebody for whom it makes sense: most are.
pub fn step() -> impl Strategy<Value = (Step, bool)> {
    let place = 0..100usize;
    let step = prop_oneof![
        16 => (0..MEMBERS, any::<bool>(), 0..3i32, 0..2i32, prop::bool::weighted(0.85)).prop_map(
            |(member, online, family, carers, wait)| Step::Book { member, online, family, carers, wait }
        ),
        8 => (place.clone(), prop::bool::weighted(0.2)).prop_map(|(place, provider)| Step::Cancel { place, provider }),
        6 => place.clone().prop_map(|place| Step::Accept { place }),
        4 => place.clone().prop_map(|place| Step::Decline { place }),
        2 => (place, any::<Option<bool>>()).prop_map(|(place, attended)| Step::Mark { place, attended }),
        4 => (any::<bool>(), prop::option::weighted(0.95, 1..7i32))
            .prop_map(|(online, capacity)| Step::Capacity { online, capacity }),
        1 => (-20..30i64).prop_map(|hours| Step::Move { hours }),
        3 => (-60..400i64).prop_map(|minutes| Step::Clock { minutes }),
        2 => (1000..2000i64).prop_map(|minutes| Step::Clock { minutes }),
        3 => Just(Step::Task),
        3 => (any::<bool>(), prop::bool::weighted(0.7)).prop_map(|(open, followed)| Step::Venue { open, followed }),
        1 => prop::bool::weighted(0.2).prop_map(|off| if off { Step::CallOff } else { Step::Task }),
    ];
    (step, prop::bool::weighted(0.85))
}

use BookingStatus::{CancelledByMember, CancelledByProvider, Offered, Waitlisted};

/// A booking as the database has it.
#[derive(Queryable)]
struct Row {
    id: Id,
    member: Id,
    status: BookingStatus,
    seat: SeatDelivery,
    seats: i32,
    turn: Option<i32>,
    until: Option<Timestamp>,
}

struct World<'a> {
    conn: &'a mut Conn,
    clock: &'a Clock,
    session: Id,
    members: &'a [Id],
    now: Timestamp,
    tally: &'a mut Tally,
}

/// How often each step came out how; `--nocapture` shows it.
type Tally = std::collections::BTreeMap<String, u32>;

/// Changes the session by hand, as its handler writes it.
fn change(conn: &mut Conn, id: Id, now: Timestamp, edit: impl FnOnce(&mut SessionChange)) -> Result<(), Error> {
    let from = session_store::get(conn, id)?;
    let wording = Wording::of(conn, &from)?;
    let mut change = from.changeable(&wording);
    edit(&mut change);
    let to = from.changed(change, wording.id(), now)?;
    listings::ensure_stored(conn, [&*wording], [&to])?;
    session_store::update_many(conn, &[Revision { from: Box::new(from), to }])
}

impl World<'_> {
    /// The step in a transaction, as a request runs it: what is refused leaves nothing behind.
    fn take(&mut self, step: &Step, id: Id, places: &[Place]) -> Result<(), Kind> {
        let (session, members) = (self.session, self.members);
        let (terms, day) = (Terms { now: self.now, hours: HOURS }, london_day(self.now));
        let work = |conn: &mut Conn| -> Result<(), Error> {
            let held = |conn: &mut Conn, place: usize| store::get_locked(conn, places[place].id, Reach::Everyone, day);
            match step {
                Step::Book { member, online, family, carers, wait } => {
                    let wish = json!({
                        "member_id": members[*member], "delivery": if *online { "online" } else { "in_person" },
                        "party": { "family": family, "carers": carers }, "if_full": if *wait { "wait" } else { "refuse" }
                    });
                    let wish: BookingInput = serde_json::from_value(wish).unwrap();
                    let by = Booker { reach: Reach::Everyone, account: session, id, terms };
                    store::book(conn, session, &wish, by).map(|_| ())
                }
                Step::Cancel { place, provider } => {
                    let status = if *provider { CancelledByProvider } else { CancelledByMember };
                    let held = held(conn, *place)?;
                    store::cancel(conn, held, status, terms).map(|_| ())
                }
                Step::Accept { place } => {
                    let held = held(conn, *place)?;
                    store::accept(conn, held, terms).map(|_| ())
                }
                Step::Decline { place } => {
                    let held = held(conn, *place)?;
                    store::decline(conn, held, terms).map(|_| ())
                }
                Step::Mark { place, attended } => {
                    let input = json!({
                        "bookings": [{ "booking_id": places[*place].id, "attended": attended }], "walk_ins": [],
                        "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 }
                    });
                    let input: RegisterInput = serde_json::from_value(input).unwrap();
                    let access = registers::Access { reach: Reach::Everyone, sees_people: true };
                    let (held, version) = registers::hold(conn, session, access.reach)?;
                    registers::check_started(&held, terms.now)?;
                    registers::take(conn, (&held, version), &input, (access, session), terms.now).map(|_| ())
                }
                Step::Capacity { online, capacity } => {
                    waiting::lapse_offers(conn, &[session], terms.now)?;
                    change(conn, session, terms.now, |change| {
                        let Activity { capacity: there, online_capacity, .. } = &mut change.activity;
                        *(if *online { online_capacity } else { there }) = *capacity;
                    })?;
                    waiting::follow(conn, &[session], terms).map(drop)
                }
                Step::Move { hours } => {
                    change(conn, session, terms.now, |change| {
                        let start = &mut change.activity.local_start;
                        start.0 += TimeDelta::hours(*hours);
                    })?;
                    waiting::follow(conn, &[session], terms).map(drop)
                }
                Step::Venue { open, followed } => {
                    let status = if *open { "open" } else { "closed" };
                    diesel::update(venues::table).set(venues::status.eq(status)).execute(conn)?;
                    match (followed, sessions::table.find(session).select(sessions::venue_id).first(conn)?) {
                        (true, Some(venue)) => waiting::follow_taker(conn, Taker::Venue(venue), terms),
                        _ => Ok(()),
                    }
                }
                Step::Clock { .. } => Ok(()),
                Step::Task => {
                    for id in waiting::due(conn, terms.now, 10)? {
                        waiting::settle_one(conn, id, terms)?;
                    }
                    assert_eq!(waiting::due(conn, terms.now, 10)?, []);
                    waiting::settle_one(conn, session, terms)
                }
                Step::CallOff => {
                    let columns = (sessions::status, sessions::ends_at);
                    let (status, ends_at) = sessions::table.find(session).select(columns).first(conn)?;
                    let state = session_rules::state(status, ends_at, terms.now);
                    session_rules::check_cancellable(state)?;
                    session_store::cancel(conn, session, "Ill", terms.now)?;
                    session_store::cancel_bookings(conn, &[session], "Ill", terms.now).map(|_| ())
                }
            }
        };
        self.conn.transaction(work).map_err(|error| error.kind())
    }

    fn check(&mut self, model: &Model) {
        type Seats = (i32, i32, i32, i32, Option<i32>, Option<i32>);
        let counts =
            (sessions::seats_taken, sessions::online_seats_taken, sessions::waitlist_length, sessions::offers_open);
        let columns = (counts.0, counts.1, counts.2, counts.3, sessions::capacity, sessions::online_capacity);
        let (room, call, waiting, offers, room_most, call_most): Seats =
            sessions::table.find(self.session).select(columns).first(self.conn).unwrap();
        // What the database works out of it, for searches.
        let columns = (sessions::has_room, sessions::online_waitlist_length);
        let (has_room, waiting_online): (bool, i32) =
            sessions::table.find(self.session).select(columns).first(self.conn).unwrap();
        let gives_one = |online: bool| model.waits(online).next().is_none() && model.fits(online, 1);
        assert_eq!(has_room, !model.called_off && (gives_one(false) || gives_one(true)));
        assert_eq!(waiting_online, model.waits(true).count() as i32);
        let rows: Vec<Row> = bookings::table
            .filter(bookings::session_id.eq(self.session))
            .select((
                bookings::id,
                bookings::member_id,
                bookings::status,
                bookings::delivery,
                bookings::seats,
                bookings::turn,
                bookings::offer_expires_at,
            ))
            .load(self.conn)
            .unwrap();
        assert_eq!(rows.len(), model.places.len());
        let mut turns = Vec::new();
        for place in &model.places {
            let row = rows.iter().find(|row| row.id == place.id).unwrap();
            let delivery = if place.online { SeatDelivery::Online } else { SeatDelivery::InPerson };
            assert_eq!((row.status, row.seat, row.seats), (place.status, delivery, place.seats));
            assert_eq!(row.until.filter(|_| row.status == Offered), place.until);
            turns.extend(row.turn);
        }
        assert!(turns.is_sorted(), "turns are given in the order of arrival: {turns:?}");
        let of = |wanted| rows.iter().filter(move |row| row.status == wanted).count() as i32;
        assert_eq!((room, call), (model.held(false), model.held(true)));
        assert_eq!((waiting, offers), (of(Waitlisted), of(Offered)));
        assert!(room_most.is_none_or(|most| room <= most) && call_most.is_none_or(|most| call <= most));
        let live: Vec<Id> = rows.iter().filter(|row| row.status.is_live()).map(|row| row.member).collect();
        assert_eq!(live.iter().collect::<std::collections::HashSet<_>>().len(), live.len());
        self.check_positions(model);
    }

    fn check_positions(&mut self, model: &Model) {
        let day = london_day(self.now);
        for online in [false, true] {
            for (index, place) in model.waits(online).enumerate() {
                let row = store::get(self.conn, place.id, Reach::Everyone, day).unwrap();
                let shown = Positions::of(self.conn, std::slice::from_ref(&row)).unwrap().show(row);
                assert_eq!(shown.waitlist_position, Some(index as i32 + 1));
                let capacity = model.capacity[usize::from(online)];
                assert!(capacity.is_none_or(|capacity| place.seats <= capacity), "{place:?} blocks its list");
            }
        }
    }

    fn run(&mut self, steps: &[(Step, bool)]) {
        let mut model = Model {
            places: Vec::new(),
            capacity: [Some(4), Some(3)],
            starts_at: Timestamp(instant(STARTS)),
            called_off: false,
            registered: false,
            closed: false,
        };
        for (step, aimed) in steps {
            let Some(step) = &model.aim(step.clone(), *aimed) else { continue };
            if let Step::Clock { minutes } = step {
                self.now = Timestamp(self.now.0 + TimeDelta::minutes(*minutes));
            }
            let id = self.clock.new_id();
            let expected = model.take(step, id, self.now);
            let outcome = self.take(step, id, &model.places);
            assert_eq!(outcome, expected.as_ref().map(|_| ()).map_err(|kind| *kind), "{step:?} at {}", self.now);
            let name = format!("{step:?}").split(' ').next().unwrap_or_default().to_owned();
            *self.tally.entry(format!("{name} {outcome:?}")).or_default() += 1;
            if let Ok(next) = expected {
                next.keeps_the_order_of(&model);
                model = next;
            }
            self.check(&model);
        }
    }
}

/// A connection to a database that is thrown away: nothing has to be on disk.
fn connection(app: &App) -> Conn {
    let mut conn = app.conn();
    match &mut conn {
        Conn::Sqlite(sqlite) => sqlite.batch_execute("PRAGMA synchronous = OFF").unwrap(),
        Conn::Postgres(postgres) => postgres.batch_execute("SET synchronous_commit = off").unwrap(),
    }
    conn
}

/// The session as it was before anything happened to it.
fn begin_again(conn: &mut Conn, session: Id) {
    diesel::delete(bookings::table).execute(conn).unwrap();
    diesel::delete(register_rows::table).execute(conn).unwrap();
    let counts = (sessions::seats_taken.eq(0), sessions::online_seats_taken.eq(0), sessions::waitlist_length.eq(0));
    let counts = (counts, sessions::online_waitlist_length.eq(0));
    let starts_at = Timestamp(instant(STARTS));
    let changes = (
        (counts, sessions::offers_open.eq(0), sessions::status.eq("scheduled")),
        (sessions::capacity.eq(4), sessions::online_capacity.eq(3), sessions::version.eq(1)),
        (sessions::starts_at.eq(starts_at), sessions::ends_at.eq(starts_at.plus_seconds(90 * 60))),
        sessions::local_start.eq(LocalTime(starts_at.0.naive_utc())),
    );
    diesel::update(sessions::table.find(session)).set(changes).execute(conn).unwrap();
    diesel::update(venues::table).set(venues::status.eq("open")).execute(conn).unwrap();
}

#[test]
fn any_sequence_keeps_seats_within_capacity_lists_in_order_and_one_live_booking_a_member() {
    let app = App::start();
    let members: Vec<Id> = (0..MEMBERS).map(|_| member_row(&app, "Sam", "Riley").parse().unwrap()).collect();
    // A case that fails leaves its transaction open, and its connection behind.
    let kept = std::cell::RefCell::new(None);
    let tally = std::cell::RefCell::new(Tally::new());
    let cases = std::env::var("BOOKING_CASES").map_or(25, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..80);
    let place = venue(&app.admin(), "walton", "Liverpool");
    let seed = SessionSeed { delivery: "hybrid", venue_id: Some(id(&place)), ..SessionSeed::default() };
    let session = session_row(&app, seed).parse().unwrap();
    let outcome = runner.run(&steps, |steps| {
        let mut conn = kept.take().unwrap_or_else(|| connection(&app));
        begin_again(&mut conn, session);
        let now = Timestamp(instant("2026-11-27T12:00:00Z"));
        let tally = &mut *tally.borrow_mut();
        World { conn: &mut conn, clock: &app.clock, session, members: &members, now, tally }.run(&steps);
        kept.replace(Some(conn));
        Ok(())
    });
    println!("{:#?}", tally.borrow());
    outcome.unwrap();
}
