//! The demo gives the two figures that the service published.

use actix_web::rt::System;
use diesel::prelude::*;
use life_rooms::db::schema::{bookings, partners, sessions};
use life_rooms::demo::{self, Outcome};

use crate::support::App;

const PRESCRIPTIONS: &str = "/v1/reports/prescriptions?from=2021-10-01&local_authority=Liverpool&origin=advisor";
const ATTENDANCE: &str = "/v1/reports/attendance?from=2021-10-01&delivery=in_person&pillar=learning\
                          &local_authority=Sefton&local_authority=Liverpool";

#[test]
fn the_demo_gives_the_published_figures_amid_noise_and_is_filled_once() {
    let app = App::start();
    let (db, now) = (app.state.db.clone(), app.clock.now());
    let fill = || System::new().block_on(demo::fill(&db, now, |_| {})).unwrap();
    assert_eq!(fill(), Outcome::Filled);
    let admin = app.admin();
    let count = |path: &str, name: &str| admin.get(path).expect(200)["totals"][name].as_i64().unwrap();

    assert_eq!(count(PRESCRIPTIONS, "prescriptions"), 8507);
    assert_eq!(count(ATTENDANCE, "distinct_members"), 6147);

    // Whatever is left out of a question changes its answer: there is noise of every kind.
    for less in ["from=2021-10-01&", "local_authority=Liverpool&", "&origin=advisor"] {
        let path = format!("{PRESCRIPTIONS}&").replace(less, "&").replace("?&", "?").replace("&&", "&");
        assert!(count(path.trim_end_matches('&'), "prescriptions") > 8507, "{path}");
    }
    for less in ["from=2021-10-01&", "delivery=in_person&", "pillar=learning&"] {
        assert!(count(&ATTENDANCE.replace(less, ""), "distinct_members") > 6147, "{less}");
    }
    let everywhere = "/v1/reports/attendance?from=2021-10-01&delivery=in_person&pillar=learning";
    assert!(count(everywhere, "distinct_members") > 6147);
    assert!(count(ATTENDANCE, "attendances") > 2 * 6147);
    assert!(count("/v1/reports/attendance", "headcount") > 10_000);

    let mut conn = app.conn();
    let absent: i64 = bookings::table.filter(bookings::status.eq("absent")).count().get_result(&mut conn).unwrap();
    assert!(absent > 500);
    let ahead: i64 = sessions::table.filter(sessions::starts_at.gt(now)).count().get_result(&mut conn).unwrap();
    assert!(ahead > 100);
    for (slug, expected) in [("the-reader", 208), ("mersey-care", 1098)] {
        let found: i64 = sessions::table
            .inner_join(partners::table)
            .filter(partners::slug.eq(slug))
            .count()
            .get_result(&mut conn)
            .unwrap();
        assert_eq!(found, expected, "{slug}");
    }

    assert_eq!(fill(), Outcome::HasMembers);
    assert_eq!(count(PRESCRIPTIONS, "prescriptions"), 8507);

    let first = System::new().block_on(demo::make_accounts(&app.state)).unwrap();
    let again = System::new().block_on(demo::make_accounts(&app.state)).unwrap();
    assert_eq!(again.len(), 5);
    for (account, renewed) in first.iter().zip(&again) {
        let login = |password: &str| {
            let body = serde_json::json!({ "email": renewed.email, "password": password });
            app.anonymous().post("/v1/auth/login", &body).status
        };
        assert_eq!(login(&renewed.password), 200, "{}", renewed.email);
        assert_eq!(login(&account.password), 401, "{}", renewed.email);
    }
}
