//! Bounds how many connections one network has open, so that one machine can't hold all that the server takes.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Shutdown};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;

use crate::config::Limits;
use crate::text::network::Network;

type Counts = Arc<Mutex<HashMap<Network, usize>>>;

/// How many connections each network has open.
#[derive(Clone)]
pub struct Connections {
    limits: Limits,
    open: Counts,
}

/// A connection that counts for as long as this is kept.
struct Open {
    network: Network,
    open: Counts,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

fn lock(open: &Counts) -> MutexGuard<'_, HashMap<Network, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// No connection yet.
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), open: Counts::default() }
    }

    /// Counts a new connection, or ends it at once if its network has too many. For `HttpServer::on_connect`.
    pub fn accept(&self, connection: &dyn Any, kept: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
        let Ok(peer) = stream.peer_addr() else { return };
        match self.enter(peer.ip()) {
            Entry::Counted(open) => drop(kept.insert(open)),
            Entry::Free => {}
            // Whoever has so many knows why. An answer would have to wait for a request.
            Entry::Refused => drop(SockRef::from(stream).shutdown(Shutdown::Both)),
        }
    }

    fn enter(&self, peer: IpAddr) -> Entry {
        let most = self.limits.connections;
        let peer = peer.to_canonical();
        if most == 0 || self.limits.trusted_proxies.iter().any(|range| range.contains(&peer)) {
            return Entry::Free;
        }
        let network = Network::of(peer);
        let mut open = lock(&self.open);
        let count = open.entry(network).or_default();
        if *count >= most {
            return Entry::Refused;
        }
        *count += 1;
        Entry::Counted(Open { network, open: Arc::clone(&self.open) })
    }
}

enum Entry {
    Counted(Open),
    /// It doesn't count.
    Free,
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_so_many_and_a_trusted_proxy_any_number() {
        let limits =
            Limits { connections: 2, trusted_proxies: vec!["10.0.0.1/32".parse().unwrap()], ..Limits::default() };
        let connections = Connections::new(&limits);
        let enter = |peer: &str| connections.enter(peer.parse().unwrap());
        let (first, second) = (enter("192.0.2.1"), enter("::ffff:192.0.2.7"));
        assert!(matches!((&first, &second), (Entry::Counted(_), Entry::Counted(_))));
        assert!(matches!(enter("192.0.2.9"), Entry::Refused));
        assert!(matches!(enter("198.51.100.1"), Entry::Counted(_)));
        assert!((0..9).all(|_| matches!(enter("10.0.0.1"), Entry::Free)));
        drop(first);
        assert!(matches!(enter("192.0.2.9"), Entry::Counted(_)));
        drop(second);
        assert!(lock(&connections.open).is_empty());
    }
}
