//! The doors to the database: what they do when transactions collide and connections are cut.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use life_rooms::background::{self, Task};
use life_rooms::db::schema::{leases, venues};
use life_rooms::db::{Conn, Db, Id, Timestamp};
use life_rooms::error::{Error, Kind};
use life_rooms::http::state::State;
use life_rooms::line::Owner;
use serde_json::json;

use crate::closings::until_one_waits;
use crate::support::{App, instant, member_row};

fn venue(app: &App, slug: &str) -> Id {
    let body = json!({ "slug": slug, "name": slug, "kind": "library", "local_authority": "Sefton" });
    app.admin().post("/v1/venues", &body).expect(201)["id"].as_str().unwrap().parse().unwrap()
}

/// Two writes that take the same two rows in opposite order: PostgreSQL ends one of them, and it runs again. SQLite runs
/// one after the other.
#[test]
fn writes_that_lock_each_other_out_run_again() {
    let app = App::start();
    let (a, b) = (venue(&app, "a"), venue(&app, "b"));
    let (met, runs) = (Barrier::new(2), AtomicUsize::new(0));
    let (met, runs): (&'static Barrier, &'static AtomicUsize) = (Box::leak(Box::new(met)), Box::leak(Box::new(runs)));
    let threads = [(a, b), (b, a)].map(|(first, second)| {
        let db = app.state.db.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(db.write(move |conn| {
                let capacity = venues::capacity.eq(9);
                diesel::update(venues::table.find(first)).set(capacity).execute(conn)?;
                if runs.fetch_add(1, Ordering::SeqCst) < 2 && matches!(conn, Conn::Postgres(_)) {
                    met.wait();
                }
                diesel::update(venues::table.find(second))
                    .set(venues::version.eq(venues::version + 1))
                    .execute(conn)?;
                Ok(())
            }))
        })
    });
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    let versions: Vec<i32> = venues::table.select(venues::version).load(&mut app.conn()).unwrap();
    assert_eq!(versions, [2, 2]);
    // Either of them, or both, let go of their row and run again, until they no longer meet.
    let runs = runs.load(Ordering::SeqCst);
    assert!(if matches!(app.conn(), Conn::Postgres(_)) { runs > 2 } else { runs == 2 }, "{runs}");
}

/// On PostgreSQL, a transaction that goes on for long keeps a row. Writes that wait for this row let those go on that need
/// another, though they are more than there are connections. On SQLite no such transaction can be open beside the writer.
#[test]
fn writes_that_wait_for_one_row_let_others_write() {
    let app = App::start();
    let (kept, other) = (venue(&app, "kept"), venue(&app, "other"));
    let mut conn = app.conn();
    if matches!(conn, Conn::Sqlite(_)) {
        return;
    }
    let admin = app.admin();
    let change = |id: Id| {
        let admin = admin.clone();
        move || admin.patch(&format!("/v1/venues/{id}"), "\"1\"", &json!({ "capacity": 9 }))
    };
    let blocked = std::thread::scope(|scope| {
        let meet = |conn: &mut Conn| {
            diesel::sql_query("SELECT 1 FROM venues WHERE slug = 'kept' FOR UPDATE").execute(conn)?;
            let waiting: Vec<_> = (0..24).map(|_| scope.spawn(change(kept))).collect();
            until_one_waits(conn, &waiting)?;
            change(other)().expect(200);
            assert!(waiting.iter().all(|one| !one.is_finished()), "they were waited for");
            Ok::<_, Error>(waiting)
        };
        let waiting = conn.transaction(meet).unwrap();
        waiting.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    // One of them changes the version that all of them name.
    let mut statuses: Vec<u16> = blocked.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[23]), (200, 412), "{statuses:?}");
}

/// Keeps SQLite's writer busy until the sender is used or dropped. The thread ends when the write has ended.
fn busy(db: &Db) -> (std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let (begun, running) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (db, ended) = (db.clone(), std::sync::Mutex::new(ended));
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let work = move |_: &mut Conn| {
                let _ = begun.send(());
                let _ = ended.lock().unwrap().recv();
                Ok(())
            };
            db.write(work).await.unwrap();
        });
    });
    running.recv().unwrap();
    (end, thread)
}

/// SQLite has one writer. A write that waits for its turn behind another is refused after 5 s, and never runs.
#[test]
fn a_write_that_has_waited_too_long_is_given_up_and_never_runs() {
    let app = App::start();
    if matches!(app.conn(), Conn::Postgres(_)) {
        return;
    }
    let admin = app.admin();
    let site = |slug: &str| json!({ "slug": slug, "name": slug });
    let (end, long) = busy(&app.state.db);
    let refused = admin.post("/v1/sites", &site("given-up"));
    assert_eq!(refused.header("retry-after"), "1");
    let problem = refused.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("Nothing was changed"), "{problem}");
    end.send(()).unwrap();
    long.join().unwrap();
    admin.post("/v1/sites", &site("after")).expect(201);
    let sites = app.anonymous().get("/v1/sites").expect(200);
    let slugs: Vec<&str> =
        sites["items"].as_array().unwrap().iter().map(|site| site["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["after"]);
}

/// A client that hangs up before its write has begun doesn't want it any more.
#[test]
fn a_write_whose_client_has_hung_up_never_runs() {
    let app = App::start();
    if matches!(app.conn(), Conn::Postgres(_)) {
        return;
    }
    let (end, thread) = busy(&app.state.db);
    let runs = Arc::new(AtomicUsize::new(0));
    let count = || {
        let runs = Arc::clone(&runs);
        move |_: &mut Conn| Ok(runs.fetch_add(1, Ordering::SeqCst))
    };
    let ran_before = actix_web::rt::System::new().block_on(async {
        let given_up = app.state.db.write(count());
        assert!(given_up.now_or_never().is_none(), "it has to wait");
        drop(end);
        app.state.db.write(count()).await.unwrap()
    });
    thread.join().unwrap();
    assert_eq!(ran_before, 0, "the one that was given up came first");
}

/// However many changes one caller has sent, the change of another comes after one of them.
#[test]
fn callers_take_turns_at_the_writer() {
    let app = App::start();
    if matches!(app.conn(), Conn::Postgres(_)) {
        return;
    }
    let (end, thread) = busy(&app.state.db);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let [much, little] = [1, 2].map(|number| Owner::Caller(Id(uuid::Uuid::from_u128(number))));
    actix_web::rt::System::new().block_on(async {
        let write = |owner: Owner, number: usize| {
            let order = Arc::clone(&order);
            let work = move |_: &mut Conn| {
                order.lock().unwrap().push(number);
                Ok(())
            };
            let mut writing = Box::pin(app.state.db.write_for(owner, work));
            assert!(writing.as_mut().now_or_never().is_none(), "it has to wait");
            writing
        };
        let mut writing: Vec<_> = (0..512).map(|number| write(much, number)).collect();
        let refused = app.state.db.write_for(much, |_| Ok(())).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::TooMuchAtOnce);
        writing.push(write(little, 1_000));
        drop(end);
        for one in writing {
            one.await.unwrap();
        }
    });
    thread.join().unwrap();
    let order = order.lock().unwrap();
    assert!(order.iter().position(|number| *number == 1_000).unwrap() <= 1, "{order:?}");
    assert_eq!(order.len(), 513);
}

/// A queue full of writes turns writes away. It keeps nobody from a record: the event of the read has a queue of its own.
#[test]
fn a_record_is_read_though_the_queue_of_writes_is_full() {
    let app = App::start();
    if matches!(app.conn(), Conn::Postgres(_)) {
        return;
    }
    let (admin, advisor, member) = (app.admin(), app.advisor(), member_row(&app, "Sam", "Ashe"));
    let (end, long) = busy(&app.state.db);
    let (db, (full, filled)) = (app.state.db.clone(), std::sync::mpsc::channel());
    let others = std::thread::spawn(move || {
        let writes = futures_util::future::join_all((0..4_200).map(|_| db.write(|_| Ok(()))));
        let full = futures_util::future::lazy(move |_| full.send(()).unwrap());
        actix_web::rt::System::new().block_on(futures_util::future::join(writes, full)).0
    });
    filled.recv().unwrap();
    let body = json!({ "slug": "late", "name": "late" });
    std::thread::scope(|scope| {
        let read = scope.spawn(|| advisor.get(&format!("/v1/members/{member}")).expect(200));
        admin.post("/v1/sites", &body).problem(503, "unavailable");
        end.send(()).unwrap();
        assert_eq!(read.join().unwrap()["id"], *member);
    });
    long.join().unwrap();
    let refused = others.join().unwrap().into_iter().filter(Result::is_err).count();
    assert_eq!(refused, 4_200 - 4_096);
    admin.post("/v1/sites", &body).expect(201);
}

/// After the database has cut every connection, as a restart does, the next read and the next write work.
#[test]
fn connections_that_were_cut_are_opened_again() {
    #[derive(QueryableByName)]
    struct Cut {
        #[diesel(sql_type = BigInt)]
        connections: i64,
    }
    let app = App::start();
    let admin = app.admin();
    venue(&app, "a");
    let mut conn = app.conn();
    let cut = |conn: &mut Conn| {
        if let Conn::Postgres(postgres) = conn {
            let others = "SELECT count(pg_terminate_backend(pid, 2000)) AS connections FROM pg_stat_activity \
                          WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
            let cut: Cut = diesel::sql_query(others).get_result(postgres).unwrap();
            assert!(cut.connections > 0);
        }
    };
    cut(&mut conn);
    assert_eq!(app.anonymous().get("/v1/venues").expect(200)["items"].as_array().unwrap().len(), 1);
    cut(&mut conn);
    let body = json!({ "slug": "b", "name": "B", "kind": "library", "local_authority": "Sefton" });
    admin.post("/v1/venues", &body).expect(201);
    assert_eq!(app.anonymous().get("/v1/venues").expect(200)["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_task_that_panics_fails_and_is_tried_again() {
    let app = App::start();
    let run = |task: Task| {
        let ran = background::run_if_due(&app.state, task, app.clock.new_id());
        actix_web::rt::System::new().block_on(ran).map_err(|error| error.kind())
    };
    let (every, longest) = (Duration::from_secs(5), Duration::from_secs(30));
    let well = Task { name: "test", every, longest, due: |_, _, _| Ok(true), run: |_| Box::pin(async { Ok(()) }) };
    assert_eq!(run(Task { due: |_, _, _| panic!("in a look"), ..well }), Err(Kind::Internal));
    assert_eq!(run(well), Ok(true));
    assert_eq!(run(Task { run: |_| Box::pin(async { panic!("at work") }), ..well }), Err(Kind::Internal));
    assert_eq!(run(well), Ok(true), "its lease was given back");
    assert_eq!(run(Task { run: |_| panic!("before work"), ..well }), Err(Kind::Internal));
    assert_eq!(run(well), Ok(true));
    // That of a server that died runs out.
    let until = Timestamp(instant("2026-11-23T09:00:30Z"));
    let row = (leases::name.eq("test"), leases::holder.eq(app.clock.new_id()), leases::expires_at.eq(until));
    diesel::insert_into(leases::table).values(row).execute(&mut app.conn()).unwrap();
    assert_eq!(run(well), Ok(false));
    app.at("2026-11-23T09:00:30Z");
    assert_eq!(run(well), Ok(true));
    // What went wrong in it is told, also where the lease can't be given back.
    let fails = |state: State| -> LocalBoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            let gone = |conn: &mut Conn| Ok(diesel::sql_query("DROP TABLE leases").execute(conn).map(drop)?);
            state.db.write(gone).await?;
            Err(Error::new(Kind::InUse, "at work"))
        })
    };
    assert_eq!(run(Task { run: fails, ..well }), Err(Kind::InUse));
}
