//! What every test stands on: a server on a database of its own, and clients that know who they are.

pub mod attacker;
mod client;
mod contract;
mod database;
pub mod log;
pub mod mailbox;
mod make;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, LazyLock, Mutex};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use life_rooms::auth::caller::{CallerKind, Role, Scope};
use life_rooms::auth::password::Hasher;
use life_rooms::auth::throttle::Throttle;
use life_rooms::auth::token::{AUDIENCE, Claims, LIFETIME, Tokens};
use life_rooms::clock::Clock;
use life_rooms::config::{Config, Limit, Limits};
use life_rooms::db::schema::{api_clients, logins, users};
use life_rooms::db::{Conn, Db, Id, Json, Location};
use life_rooms::http::budget::BodyBudget;
use life_rooms::http::rates::Rates;
use life_rooms::http::state::State;
use life_rooms::http::turn::Turns;
use life_rooms::server;

pub use client::{Answer, Client};
pub use contract::committed;
pub use make::*;

/// When every test begins, unless it sets the clock: a Monday morning in November 2026.
pub const NOW: &str = "2026-11-23T09:00:00Z";

/// One for all servers: making it costs as much as hashing a password.
static HASHER: LazyLock<Arc<Hasher>> = LazyLock::new(|| Arc::new(Hasher::new().expect("a hasher")));

/// A running server with a database and a clock of its own.
pub struct App {
    pub url: String,
    pub clock: Clock,
    pub state: State,
    pub location: Location,
    handle: actix_web::dev::ServerHandle,
    /// What `kept` gives.
    conn: Mutex<Option<Conn>>,
    _folder: Folder,
}

/// A second server on the database of another.
pub struct Neighbour {
    pub url: String,
    handle: actix_web::dev::ServerHandle,
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for App {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

impl App {
    pub fn start() -> Self {
        Self::start_with(Config { allowed_origins: vec!["https://front.example.org".into()], ..Config::default() })
    }

    pub fn start_with(mut config: Config) -> Self {
        // Tests send much while the clock stands still. What a test sets stays.
        let (usual, limits) = (Limits::default(), &mut config.limits);
        for (limit, usual) in [(&mut limits.caller, usual.caller), (&mut limits.network, usual.network)] {
            if *limit == usual {
                *limit = Limit::new(1_000_000, 60);
            }
        }
        let folder = std::env::temp_dir().join(format!("life-rooms-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let location = database::fresh(&folder);
        let clock = Clock::stopped_at(instant(NOW));
        let state = State {
            db: Db::open(&location).expect("the database opens"),
            clock: clock.clone(),
            tokens: Arc::new(Tokens::open(&folder.join("keys"), config.public_url.clone()).expect("keys")),
            throttle: Arc::new(Throttle::open(&folder.join("keys"), config.limits.login, &clock).expect("a key")),
            rates: Arc::new(Rates::new(&config.limits, &clock)),
            config: Arc::new(config),
            hasher: Arc::clone(&HASHER),
            rosters: Arc::new(BodyBudget::of_rosters()),
            bodies: Arc::new(BodyBudget::of_others()),
            plan_turns: Arc::new(Turns::of_rosters()),
            workbook_turns: Arc::new(Turns::of_workbooks()),
            long_answers: Arc::new(Turns::of_long_answers()),
            hooks: life_rooms::app::HOOKS,
            stop: Arc::default(),
        };
        let (url, handle) = serve(state.clone());
        Self { url, clock, state, location, handle, conn: Mutex::default(), _folder: Folder(folder) }
    }

    /// A second server on this database, with connections of its own and the same keys.
    pub fn beside(&self) -> Neighbour {
        let db = Db::open(&self.location).expect("the database opens");
        let limits = self.state.config.limits.login;
        let throttle = Arc::new(Throttle::open(&self.key_dir(), limits, &self.clock).expect("a key"));
        let (url, handle) = serve(State { db, throttle, ..self.state.clone() });
        Neighbour { url, handle }
    }

    /// Moves the clock.
    pub fn at(&self, text: &str) {
        self.clock.set(instant(text));
    }

    /// The folder of the server's signing keys.
    pub fn key_dir(&self) -> PathBuf {
        self._folder.0.join("keys")
    }

    /// A connection of the test's own, to look into the database.
    pub fn conn(&self) -> Conn {
        match &self.location {
            Location::Sqlite(path) => {
                life_rooms::db::conn::open_sqlite(path, life_rooms::db::conn::Purpose::Write).expect("the file opens")
            }
            Location::Postgres(url) => life_rooms::db::conn::open_postgres(url).expect("the server answers"),
        }
    }

    /// Works on one connection that is kept, since each new one reads the whole schema. Only for what makes rows: a test
    /// that looks has a connection of its own.
    fn kept<T>(&self, work: impl FnOnce(&mut Conn) -> T) -> T {
        work(self.conn.lock().expect("no test failed with it").get_or_insert_with(|| self.conn()))
    }

    pub fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    pub fn with_token(&self, token: &str) -> Client {
        Client::new(&self.url, Some(token.to_owned()))
    }

    pub fn admin(&self) -> Client {
        self.user(Role::Admin, None, None)
    }

    pub fn advisor(&self) -> Client {
        self.user(Role::Advisor, None, None)
    }

    /// An advisor with a permission.
    pub fn advisor_who_may(&self, permission: &str) -> Client {
        let advisor = self.advisor();
        let account = users::table.find(advisor.id.expect("an account"));
        let held = users::permissions.eq(Json(vec![permission.to_owned()]));
        self.kept(|conn| diesel::update(account).set(held).execute(conn)).expect("the account is there");
        advisor
    }

    pub fn analyst(&self) -> Client {
        self.user(Role::Analyst, None, None)
    }

    /// A member's own account. A member has at most one: call it once for each member.
    pub fn member(&self, member_id: &str) -> Client {
        self.user(Role::Member, None, Some(member_id.parse().expect("an id")))
    }

    /// A person who works for a partner.
    pub fn partner_user(&self, partner_id: &str) -> Client {
        self.user(Role::Partner, Some(partner_id.parse().expect("an id")), None)
    }

    /// A partner's API client with these scopes.
    pub fn partner_client(&self, partner_id: &str, scopes: &[Scope]) -> Client {
        let partner_id: Id = partner_id.parse().expect("an id");
        let (id, now) = (self.clock.new_id(), self.clock.now());
        let row = (
            api_clients::id.eq(id),
            api_clients::partner_id.eq(partner_id),
            api_clients::client_id.eq(id.to_string()),
            api_clients::name.eq("test client"),
            api_clients::secret_hash.eq("-"),
            api_clients::scopes.eq(Json(scopes.to_vec())),
            api_clients::generation.eq(1),
            api_clients::version.eq(1),
            api_clients::created_at.eq(now),
            api_clients::updated_at.eq(now),
        );
        self.kept(|conn| diesel::insert_into(api_clients::table).values(row).execute(conn)).expect("the client is new");
        let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        let claims = Claims {
            partner_id: Some(partner_id),
            scope: Some(names.join(" ")),
            ..self.claims(id, CallerKind::Client, Role::Partner)
        };
        self.with_token(&self.state.tokens.sign(&claims).expect("a token"))
    }

    /// A new account and a client that is logged in as it, without the cost of a password.
    pub fn user(&self, role: Role, partner_id: Option<Id>, member_id: Option<Id>) -> Client {
        let (id, now) = (self.clock.new_id(), self.clock.now());
        let row = (
            users::id.eq(id),
            users::email.eq(format!("{id}@example.org")),
            users::role.eq(role),
            users::partner_id.eq(partner_id),
            users::member_id.eq(member_id),
            users::disabled.eq(false),
            users::permissions.eq(Json(Vec::<String>::new())),
            users::generation.eq(1),
            users::version.eq(1),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        );
        self.kept(|conn| diesel::insert_into(users::table).values(row).execute(conn)).expect("the account is new");
        self.log_in_row(id);
        let claims = Claims { partner_id, member_id, ..self.claims(id, CallerKind::User, role) };
        let mut client = self.with_token(&self.state.tokens.sign(&claims).expect("a token"));
        client.id = Some(id);
        client
    }

    /// A login of this account that lasts a century and has the account's id.
    fn log_in_row(&self, id: Id) {
        let now = self.clock.now();
        let row = (
            logins::id.eq(id),
            logins::user_id.eq(id),
            logins::nonce.eq(vec![0u8; 16]),
            logins::counter.eq(1),
            logins::by_cookie.eq(false),
            logins::rotated_at.eq(now),
            logins::last_used_at.eq(now),
            logins::expires_at.eq(now.plus_seconds(100 * 365 * 24 * 3600)),
            logins::created_at.eq(now),
        );
        self.kept(|conn| diesel::insert_into(logins::table).values(row).execute(conn)).expect("the login is new");
    }

    /// Claims of a valid token that ends in a century, so that tests may move the clock.
    pub fn claims(&self, sub: Id, kind: CallerKind, role: Role) -> Claims {
        let now = self.clock.now().0.timestamp();
        Claims {
            iss: self.state.tokens.issuer().into(),
            aud: AUDIENCE.into(),
            sub,
            iat: now,
            nbf: now - 100 * 365 * 24 * 3600,
            exp: now + LIFETIME + 100 * 365 * 24 * 3600,
            jti: self.clock.new_id(),
            kind,
            role,
            generation: 1,
            partner_id: None,
            member_id: None,
            sid: (kind == CallerKind::User).then_some(sub),
            scope: None,
        }
    }
}

/// Runs a server on a free port, in a thread of its own.
fn serve(state: State) -> (String, actix_web::dev::ServerHandle) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", socket.local_addr().expect("an address"));
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = server::start(state, socket, 1).expect("the server starts");
            send.send(server.handle()).expect("the test waits");
            server.await.expect("the server runs");
        });
    });
    (url, receive.recv().expect("the server starts"))
}
