//! The server's own pages for links: the product is whole without a front end.
//!
//! A page is a form with a password. Its script sends the secret, which stands behind the `#`, with what was typed. The page
//! for unsubscribing has two buttons and asks for nothing. Opening a page changes nothing.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::auth::links::Purpose;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::http::context::state;

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    title: &'static str,
    intro: &'static str,
    label: &'static str,
    hint: &'static str,
    autocomplete: &'static str,
    button: &'static str,
    done: &'static str,
    operation: &'static str,
    member: &'static str,
    asks_birthday: bool,
    /// The front end, to go on to; `None` without one.
    home: Option<String>,
}

/// Where the secret of a page stands in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// In the path: the form is sent to where the page was read.
    InThePath,
    /// Behind the `#`: a script puts it into where the form is sent to.
    BehindTheHash,
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct Unsubscribe {
    has_script: bool,
    /// The front end, to go on to; `None` without one.
    home: Option<String>,
}

/// Where people go on from a page: the front end. `None` where the service has none but these pages, which have nowhere
/// to log in.
fn home(config: &Config) -> Option<String> {
    let front_end = &config.front_end_url;
    (*front_end != config.public_url).then(|| front_end.clone())
}

/// The page for unsubscribing from reminders, or from all e-mails.
///
/// # Errors
/// 500 if the template can't be filled.
pub fn unsubscribe(secret: Secret, config: &Config) -> Result<String> {
    let page = Unsubscribe { has_script: secret == Secret::BehindTheHash, home: home(config) };
    page.render().map_err(Error::internal)
}

const NEW: &str =
    "8 characters or more; if you work here, 15. Four words that don't belong together make a good password.";

fn page(name: &str, config: &Config) -> Option<Page> {
    let page = Page {
        title: "Choose a password",
        intro: "Welcome. Choose a password to finish.",
        label: "Your password",
        hint: NEW,
        autocomplete: "new-password",
        button: "Save password",
        done: "Done. You can log in now.",
        operation: "/v1/auth/registrations/confirm",
        member: "password",
        asks_birthday: false,
        home: home(config),
    };
    let of = |purpose: Purpose| purpose.page().trim_start_matches("/account/") == name;
    if of(Purpose::Registration) {
        Some(page)
    } else if of(Purpose::Invitation) {
        Some(Page {
            intro: "Welcome. Choose a password to start using your account.",
            operation: "/v1/auth/invitations/confirm",
            asks_birthday: true,
            ..page
        })
    } else if of(Purpose::PasswordReset) {
        Some(Page {
            title: "Choose a new password",
            intro: "Choose a new password for your account. You need to log in again on all your devices.",
            operation: "/v1/auth/password-resets/confirm",
            member: "new_password",
            ..page
        })
    } else if of(Purpose::EmailChange) {
        Some(Page {
            title: "Confirm your new e-mail address",
            intro: "Type your password once more to use this address from now on.",
            hint: "The password that you log in with.",
            autocomplete: "current-password",
            button: "Confirm",
            done: "Done. Log in with your new address.",
            operation: "/v1/auth/email-changes/confirm",
            ..page
        })
    } else {
        None
    }
}

/// Registers the pages, for GET only.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/account/{page}", web::get().to(show));
}

async fn show(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let answer = state(&request).and_then(|state| answer(&name, &state.config));
    answer.unwrap_or_else(HttpResponse::from_error)
}

fn answer(name: &str, config: &Config) -> Result<HttpResponse> {
    let (kind, body, cache) = match name {
        "account.js" => ("text/javascript; charset=utf-8", include_str!("pages.js").to_owned(), "public, max-age=3600"),
        "unsubscribe.js" => {
            let script = include_str!("unsubscribe.js").to_owned();
            ("text/javascript; charset=utf-8", script, "public, max-age=3600")
        }
        "unsubscribe" => ("text/html; charset=utf-8", unsubscribe(Secret::BehindTheHash, config)?, "no-store"),
        "account.css" => ("text/css; charset=utf-8", include_str!("pages.css").to_owned(), "public, max-age=3600"),
        name => {
            let page = page(name, config).ok_or_else(|| Error::not_found("page"))?;
            ("text/html; charset=utf-8", page.render().map_err(Error::internal)?, "no-store")
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, kind)).insert_header((CACHE_CONTROL, cache));
    Ok(response.body(body))
}
