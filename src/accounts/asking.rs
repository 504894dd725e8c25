//! What registering, invitations, forgotten passwords and other addresses share: somebody asks for a mail with a link, and
//! the link is used.

use actix_web::HttpResponse;

use super::types::Accepted;
use crate::auth::links::store::{self as links, LinkRow};
use crate::auth::links::{Purpose, not_valid, read, url};
use crate::auth::store::{self as accounts, Account};
use crate::auth::throttle::buckets::{self, Bucket};
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::http::reply::Reply;
use crate::login::grant::record;
use crate::login::password_login::{to_the_end, wait_of};
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage, Told};

/// What people do who have no access to the service.
const ASK_AN_ADVISOR: &str = "Ask an advisor to help you.";
/// What people do who work for the service.
pub const SHOW_INSTEAD: &str = "Send deliver: show, and hand the link over yourself.";
/// After how many seconds to try again what the service isn't set up for.
const NOT_SET_UP: u32 = 3_600;

/// Refuses what only a mail can finish, if the service sends none. `instead` says what to do.
///
/// # Errors
/// 503 for everybody, whatever they asked about.
pub fn needs_mail(context: &Context, instead: &str) -> Result<()> {
    if context.state().config.mail.is_some() {
        return Ok(());
    }
    // Not a fault of the server: its operator has set it up without a mail server.
    let detail = format!("This service sends no e-mail, so this can't be done here. {instead}");
    Err(Error::new(Kind::Unavailable, detail).retry_after(NOT_SET_UP))
}

/// A link as an answer shows it, to be given on paper. An answer that is repeated leaves it out.
pub fn shown(context: &Context, link: &LinkRow) -> String {
    let state = context.state();
    url(state.tokens.refresh(), &state.config.front_end_url, link)
}

/// Writes a link and the message that carries it, and answers 202 with this sentence. Everything is the same whether or
/// not anybody has the address.
///
/// A stranger's mail counts against their network. The mail of somebody who is logged in, whose link names their account,
/// counts against that account: otherwise strangers in the same café could use up what the network may ask for.
///
/// # Errors
/// 503 if the service sends no mail; 429 if the network or the account asks for too many.
pub async fn ask(context: &Context, link: LinkRow, kind: MessageKind, message: &'static str) -> Result<HttpResponse> {
    needs_mail(context, ASK_AN_ADVISOR)?;
    let throttle = &context.state().throttle;
    let address = throttle.mail_to(link.email.as_deref().unwrap_or_default());
    let (asker, detail) = match link.created_by {
        Some(account) => {
            (throttle.mail_by(account), "You have asked for many e-mails. Try again later. Nothing was sent.")
        }
        None => (
            throttle.mail_from(context.network()),
            "Your network has asked for many e-mails. Try again later. Nothing was sent.",
        ),
    };
    refuse_over(context, asker.clone(), detail).await?;
    let (now, reply) = (context.now(), Reply::plain(202, &Accepted { message })?);
    let written = context.write_anew(move |conn| {
        buckets::hit(conn, vec![asker.clone()], now)?;
        let told = if buckets::take(conn, &address, now)? { Told::Email } else { Told::Not("too_many") };
        links::insert(conn, &link)?;
        let mail = NewMessage::with_link(kind, link.id, link.expires_at, now).skipped(told);
        messages::queue(conn, vec![mail], now)
    });
    written.await?;
    Ok(reply.into_response())
}

/// Refuses a request that has used up this bucket.
///
/// # Errors
/// 429.
async fn refuse_over(context: &Context, bucket: Bucket, detail: &'static str) -> Result<()> {
    match wait_of(context.state(), bucket, context.now()).await? {
        Some(seconds) => Err(Error::too_many(detail, seconds)),
        None => Ok(()),
    }
}

/// Reads what belongs to a link with `look`, which returns `None` if the link leads nowhere.
///
/// # Errors
/// 422 `link-not-valid`, which counts against the network; 429 if the network sent many of those.
pub async fn open<T: Send + 'static>(
    context: &Context,
    purpose: Purpose,
    token: &str,
    look: impl Fn(&mut Conn, &LinkRow) -> Result<Option<T>> + Send + 'static,
) -> Result<(LinkRow, T)> {
    let bucket = context.state().throttle.wrong_link(context.network());
    refuse_over(context, bucket.clone(), "Many links from your network didn't work. Try again later.").await?;
    // A wrong secret costs a look-up too, so that it takes as long as a right one.
    let id = read(context.state().tokens.refresh(), token).unwrap_or(Id(uuid::Uuid::nil()));
    let (state, now) = (context.state().clone(), context.now());
    to_the_end(async move {
        let found = state.db.read(move |conn| {
            let link = links::usable(conn, purpose, id, now)?;
            Ok(look(conn, &link)?.map(|found| (link, found)))
        });
        let found = found.await.or_else(|error| if is_not_valid(&error) { Ok(None) } else { Err(error) })?;
        if found.is_none() {
            state.db.write(move |conn| buckets::hit(conn, vec![bucket.clone()], now)).await?;
        }
        found.ok_or_else(not_valid)
    })
    .await
}

fn is_not_valid(error: &Error) -> bool {
    error.kind() == Kind::LinkNotValid
}

/// Uses a link up, takes the others back that were sent for the same, and records it as done by the account's holder: the
/// request itself has no caller. If the link was mailed, its holder has read a mail at the address.
///
/// # Errors
/// 422 `link-not-valid` if it was used meanwhile.
pub fn use_up(conn: &mut Conn, context: &Context, link: &LinkRow, account: &Account) -> Result<()> {
    links::use_up(conn, link, context.now())?;
    links::revoke_others(conn, link, context.now())?;
    if messages::queue::carries(conn, link.id)? {
        accounts::prove_email(conn, account.id, context.now())?;
    }
    record(conn, context, account, "link_used", &[])
}

/// A new link to this address.
pub fn link_to(context: &Context, purpose: Purpose, email: &str) -> LinkRow {
    LinkRow::to(context.new_id(), purpose, email, context.now())
}
