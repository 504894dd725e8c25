//! The example pages: the demo serves them, and no other server does.

use life_rooms::config::Config;

use crate::support::App;

const PAGE: &str = "/examples/whats-on/";

#[test]
fn the_demo_shows_the_example_page_whose_script_and_pictures_may_load() {
    let app = App::start_with(Config { shows_examples: true, ..Config::default() });
    let anybody = app.anonymous();
    let redirect = anybody.get("/examples/whats-on");
    assert_eq!((redirect.status, redirect.header("location")), (307, PAGE));
    let page = anybody.get(PAGE);
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains("<html lang=\"en-GB\">") && page.text.contains("whats-on.js"), "{}", page.text);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("img-src https:"), "{policy}");
    for (name, kind) in [("whats-on.js", "text/javascript"), ("whats-on.css", "text/css"), ("index.html", "text/html")]
    {
        let file = anybody.get(&format!("{PAGE}{name}"));
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, format!("{kind}; charset=utf-8").as_str()),
            "{name}"
        );
    }
    anybody.get("/examples/whats-on/other.js").problem(404, "not-found");
    let refused = anybody.send("DELETE", PAGE, &[], b"");
    assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
    refused.problem(405, "method-not-allowed");
}

#[test]
fn no_other_server_shows_examples() {
    let app = App::start();
    for path in [PAGE, "/examples/whats-on/whats-on.js"] {
        app.anonymous().get(path).problem(404, "not-found");
    }
}
