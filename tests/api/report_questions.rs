//! Who may ask a report what: periods, dimensions, and parameters that are wrong.

use crate::reports::Seed;
use crate::support::{App, Client};

#[test]
fn an_analyst_asks_for_periods_that_are_over_and_a_manager_for_any_days() {
    let app = App::start();
    let (analyst, admin) = (app.analyst(), app.admin());
    for report in ["prescriptions", "attendance"] {
        for (query, parameter, words) in [
            ("from=2024-01-01&to=2024-01-31", "from", "Ask for a period"),
            ("to=2024-01-31", "to", "Ask for a period"),
            ("period=2026-11", "period", "8 December 2026"),
            ("period=2027-28", "period", "8 May 2027"),
            ("period=2021-09", "period", "1 October 2021"),
            ("period=2026-Q3", "period", "a month such as"),
            ("period=2026", "period", "a month such as"),
            ("period=all&local_authority=Sefton&local_authority=Sefton", "local_authority", "named area"),
        ] {
            let problem = analyst.get(&format!("/v1/reports/{report}?{query}")).wrong_parameter(parameter);
            assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        }
        for query in ["from=2024-01-02&to=2024-01-30", "to=2024-01-31", "local_authority=Sefton&local_authority=Wirral"]
        {
            admin.get(&format!("/v1/reports/{report}?{query}")).expect(200);
        }
        let days = |client: &Client, query: &str| {
            let days = client.get(&format!("/v1/reports/{report}?{query}")).expect(200)["days"].clone();
            (days["from"].as_str().unwrap_or("-").to_owned(), days["to"].as_str().unwrap_or("-").to_owned())
        };
        let span = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        for client in [&analyst, &admin] {
            assert_eq!(days(client, "period=all"), span("2021-10-01", "2026-10-31"));
            assert_eq!(days(client, "period=2026-27"), span("2026-04-01", "2026-10-31"));
            assert_eq!(days(client, "period=2025-26"), span("2025-04-01", "2026-03-31"));
            assert_eq!(days(client, "period=2026-10"), span("2026-10-01", "2026-10-31"));
        }
        assert_eq!(days(&analyst, ""), span("2021-10-01", "2026-10-31"));
        assert_eq!(days(&admin, ""), span("-", "-"));
    }
    app.at("2026-12-07T23:59:59Z");
    analyst.get("/v1/reports/attendance?period=2026-11").wrong_parameter("period");
    app.at("2026-12-08T00:00:00Z");
    analyst.get("/v1/reports/attendance?period=2026-11").expect(200);
}

#[test]
fn an_analyst_combines_at_most_two_dimensions_or_a_named_shape() {
    let app = App::start();
    let analyst = app.analyst();
    let mut seed = Seed::new(&app);
    let place = seed.venue("walton", "Liverpool");
    let id = seed.site("walton", &[(place, "2021-10-01", None)]);
    let (partner, programme) = seed.partner_with_programme("reader");
    for nothing in ["prescriptions?site_id", "attendance?partner_id", "attendance?programme_id"] {
        let (_, parameter) = nothing.split_once('?').unwrap();
        let nobody = app.clock.new_id();
        analyst.get(&format!("/v1/reports/{nothing}={nobody}")).wrong_parameter(parameter);
    }
    analyst.get(&format!("/v1/reports/attendance?programme_id={programme}")).expect(200);
    for allowed in [
        "prescriptions?local_authority=Sefton&origin=gp&group_by=origin".replace("&group_by=origin", ""),
        "prescriptions?area=liverpool-and-sefton&origin=advisor".to_owned(),
        format!("prescriptions?site_id={id}&group_by=month"),
        format!("attendance?partner_id={partner}&group_by=site"),
        format!("attendance?partner_id={partner}&local_authority=Sefton&group_by=local_authority"),
        "attendance?group_by=month".to_owned(),
        "attendance?local_authority=Sefton&pillar=learning&delivery=in_person".to_owned(),
        "attendance?area=liverpool-and-sefton&pillar=learning&delivery=in_person".to_owned(),
        "attendance?pillar=learning&delivery=in_person&group_by=local_authority".to_owned(),
        "attendance?local_authority=Sefton&group_by=local_authority&pillar=learning".to_owned(),
    ] {
        analyst.get(&format!("/v1/reports/{allowed}")).expect(200);
    }
    for (refused, parameter) in [
        (format!("prescriptions?local_authority=Sefton&origin=gp&site_id={id}"), "origin"),
        ("prescriptions?local_authority=Sefton&origin=gp&group_by=month".to_owned(), "group_by"),
        (format!("attendance?partner_id={partner}&pillar=learning&delivery=online"), "partner_id"),
        (format!("attendance?local_authority=Sefton&pillar=learning&partner_id={partner}"), "partner_id"),
        ("attendance?local_authority=Sefton&pillar=learning&group_by=month".to_owned(), "group_by"),
        ("attendance?pillar=learning&delivery=online&group_by=site".to_owned(), "group_by"),
        ("attendance?area=liverpool-and-sefton&pillar=learning&delivery=online&group_by=month".to_owned(), "group_by"),
    ] {
        let problem = analyst.get(&format!("/v1/reports/{refused}")).wrong_parameter(parameter);
        assert_eq!(problem["errors"][0]["code"], "too_many_dimensions");
        app.admin().get(&format!("/v1/reports/{refused}")).expect(200);
    }
}

#[test]
fn wrong_parameters_of_reports_are_named() {
    let app = App::start();
    let admin = app.admin();
    for (path, parameter) in [
        ("prescriptions?from=2024-02-30", "from"),
        ("prescriptions?from=2024-02-02&to=2024-02-01", "to"),
        ("prescriptions?to=2024-02-01&to=2024-02-02", "to"),
        ("prescriptions?origin=nobody", "origin"),
        ("prescriptions?site_id=1", "site_id"),
        ("prescriptions?local_authority=Narnia", "local_authority"),
        ("prescriptions?group_by=year", "group_by"),
        ("prescriptions?period=2026-Q1", "period"),
        ("prescriptions?period=all&from=2024-01-01", "period"),
        ("prescriptions?period=2026-11", "period"),
        ("prescriptions?area=nowhere", "area"),
        ("prescriptions?area=liverpool-and-sefton&local_authority=Sefton", "area"),
        ("attendance?area=liverpool-and-sefton&area=liverpool-and-sefton", "area"),
        ("prescriptions?pillar=learning", "pillar"),
        ("attendance?delivery=hybrid", "delivery"),
        ("attendance?pillar=x", "pillar"),
        ("attendance?partner_id=x", "partner_id"),
        ("attendance?programme_id=x", "programme_id"),
        ("attendance?group_by=site&group_by=month", "group_by"),
    ] {
        admin.get(&format!("/v1/reports/{path}")).wrong_parameter(parameter);
    }
    let no_periods = "All 2026 2026-Q1 2026-13 2026-1 2026-00 2026-28 26-11 2026-27%20 2026/27 %2B026-11 2026-%2B1";
    for period in no_periods.split(' ').chain(["", "2026-11-01", "all,2026-11", "0001-02"]) {
        let problem = admin.get(&format!("/v1/reports/attendance?period={period}")).wrong_parameter("period");
        assert_eq!(problem["errors"][0]["code"], "wrong_format", "{period}");
    }
}

#[test]
fn only_analysts_and_managers_read_reports() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let (member, (partner, _)) = (seed.member(), seed.partner_with_programme("one"));
    let refused = [
        app.advisor(),
        app.member(&member.to_string()),
        app.partner_user(&partner.to_string()),
        app.partner_client(&partner.to_string(), &[]),
    ];
    for path in ["/v1/reports/prescriptions?nonsense=1", "/v1/reports/attendance?nonsense=1"] {
        app.anonymous().get(path).problem(401, "unauthenticated");
        for client in &refused {
            client.get(path).problem(403, "forbidden");
        }
    }
}
