//! How mails are handed to a mail server: through one connection a batch, whatever happens on the way.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use life_rooms::config::{Mail, Sender, Sink, Smtp, Tls};
use life_rooms::mail::letter::{Letter, Print};
use life_rooms::mail::post::{Outcome, Outgoing, Post};

/// What a mail server has seen.
#[derive(Clone, Default)]
pub struct Seen {
    connections: Arc<AtomicUsize>,
    /// Who it took a mail for, and who took leave with QUIT.
    pub taken: Arc<Mutex<Vec<String>>>,
    goodbyes: Arc<AtomicUsize>,
    /// The `Message-ID` of every mail that it read, also of those that it didn't take.
    pub read: Arc<Mutex<Vec<String>>>,
}

/// A mail server on this machine. It refuses `refused@…`, puts off `later@…` and, once it has read the mail, `full@…`. After
/// a mail for `last@…` it hangs up without a word.
pub fn mail_server(seen: Seen) -> Smtp {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            seen.connections.fetch_add(1, Ordering::SeqCst);
            let (seen, stream) = (seen.clone(), stream.unwrap());
            std::thread::spawn(move || talk(&seen, stream));
        }
    });
    Smtp { host: "127.0.0.1".into(), port, tls: Tls::Off, login: None }
}

fn talk(seen: &Seen, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 here\r\n")?;
    let mut to = String::new();
    while let Some(line) = lines.next().transpose()? {
        let reply: &[u8] = match line.split([' ', ':']).next().unwrap_or_default() {
            "RCPT" if line.contains("refused@") => b"550 nobody\r\n",
            "RCPT" if line.contains("later@") => b"451 not now\r\n",
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    if let Some(id) = line.strip_prefix("Message-ID: ") {
                        seen.read.lock().unwrap().push(id.to_owned());
                    }
                }
                if to.starts_with("full@") {
                    stream.write_all(b"452 no room\r\n")?;
                    continue;
                }
                seen.taken.lock().unwrap().push(to.clone());
                stream.write_all(b"250 taken\r\n")?;
                if to.starts_with("last@") {
                    return Ok(());
                }
                continue;
            }
            "QUIT" => {
                seen.goodbyes.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply)?;
    }
    Ok(())
}

fn mail_to(name: &str) -> Outgoing {
    let letter = Letter {
        subject: "A place is free".into(),
        before: vec!["Hello,".into()],
        lines: Vec::new(),
        action: None,
        after: Vec::new(),
        unsubscribe: None,
    };
    let (to, message_id) = (format!("{name}@example.org"), format!("{name}@example.org"));
    Outgoing { to, letter, print: Print::Plain, message_id, one_click: None }
}

/// The settings that send mails to such a mail server.
pub fn settings(seen: &Seen) -> Mail {
    let sender = |name: &str| Sender { name: name.into(), address: "rooms@example.org".into() };
    let sink = Sink::Smtp(mail_server(seen.clone()));
    Mail { sink, from: sender("Life Rooms"), reply_to: sender(""), per_minute: 10_000 }
}

fn post(seen: &Seen) -> Post {
    Post::new(Arc::new(settings(seen)))
}

#[test]
fn a_batch_goes_through_one_connection_and_takes_leave() {
    let seen = Seen::default();
    let mut post = post(&seen);
    for name in ["ann", "bea", "cleo"] {
        assert_eq!(post.send(&mail_to(name)), Outcome::Sent);
    }
    post.close();
    assert_eq!(*seen.taken.lock().unwrap(), ["ann@example.org", "bea@example.org", "cleo@example.org"]);
    assert_eq!((seen.connections.load(Ordering::SeqCst), seen.goodbyes.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn what_is_refused_or_put_off_or_hung_up_keeps_no_other_mail_back() {
    let seen = Seen::default();
    let mut post = post(&seen);
    let names = ["ann", "refused", "bea", "later", "last", "cleo"];
    let outcomes = names.map(|name| post.send(&mail_to(name)));
    post.close();
    let (refused, later) = (Outcome::Refused("550".into()), Outcome::Later("451".into()));
    assert_eq!(outcomes, [Outcome::Sent, refused, Outcome::Sent, later, Outcome::Sent, Outcome::Sent]);
    let taken = ["ann@example.org", "bea@example.org", "last@example.org", "cleo@example.org"];
    assert_eq!(*seen.taken.lock().unwrap(), taken, "each once");
}

#[test]
fn a_mail_server_that_is_not_there_is_tried_later() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sender = || Sender { name: String::new(), address: "rooms@example.org".into() };
    let sink = Sink::Smtp(Smtp { host: "127.0.0.1".into(), port, tls: Tls::Off, login: None });
    let mut post = Post::new(Arc::new(Mail { sink, from: sender(), reply_to: sender(), per_minute: 60 }));
    assert_eq!(post.send(&mail_to("ann")), Outcome::Later("no_connection".into()));
}
