//! The network that a request came from.

use std::net::IpAddr;
use std::sync::Once;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use actix_web::web::Data;

use super::state::State;
use crate::text::network::{Network, client_address};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The network that a request came from. `X-Forwarded-For` is believed only from a proxy that the settings name.
pub fn network(request: &HttpRequest) -> Network {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else { return Network::default() };
    let state = request.app_data::<Data<State>>();
    let trusted = state.map(|state| state.config.limits.trusted_proxies.as_slice()).unwrap_or_default();
    let mut forwarded = request.headers().get_all(FORWARDED_FOR).peekable();
    if forwarded.peek().is_some() && trusted.is_empty() {
        warn_of_proxy(peer);
    }
    // A value that isn't text is kept as nonsense, so that it ends the reading.
    let values = forwarded.map(|value| value.to_str().unwrap_or("?"));
    Network::of(client_address(peer, values, trusted))
}

/// Warns once if a proxy seems to stand in front that the settings don't name: all its clients would share one limit.
fn warn_of_proxy(peer: IpAddr) {
    static WARNED: Once = Once::new();
    let is_near = match peer.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    };
    if is_near {
        WARNED.call_once(|| {
            log::warn!(
                "requests come through a proxy at {peer} that LIFE_ROOMS_TRUSTED_PROXIES doesn't list: the limits count \
                 all its clients as one network"
            );
        });
    }
}
