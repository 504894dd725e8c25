//! Addresses of machines, and the networks that they are in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

/// How many bits of an IPv4 address name the network: a household or an office often has one or a few addresses.
const BITS_V4: u8 = 24;
/// How many bits of an IPv6 address name the network. A site gets a /48 at most, and can use any address in it.
const BITS_V6: u8 = 48;

/// The network that an address is in. Limits count networks, because whoever has one address has its neighbours too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { BITS_V4 } else { BITS_V6 };
        let whole = IpNet::from(address);
        Self(IpNet::new(address, bits).unwrap_or(whole).trunc())
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::of(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address. IPv4 may be written inside IPv6.
pub fn read_range(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    let range: IpNet = text.parse().ok()?;
    match range.network().to_canonical() {
        IpAddr::V4(address) if range.addr().is_ipv6() => {
            let bits = range.prefix_len().checked_sub(96)?;
            IpNet::new(address.into(), bits).ok()
        }
        _ => Some(range),
    }
}

/// The address of whoever sent a request.
///
/// `peer` is at the other end of the connection. `forwarded` holds the values of `X-Forwarded-For` in their order: each
/// proxy adds the address that it got the request from at the right end. A value can be made up by the client, except
/// where a trusted proxy wrote it. So the values are read from the right for as long as the proxies are trusted, and the
/// first address that isn't a proxy's is the client's.
pub fn client_address<'a>(peer: IpAddr, forwarded: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|range| range.contains(address));
    let mut client = peer.to_canonical();
    let values: Vec<&str> = forwarded.flat_map(|line| line.split(',')).collect();
    for value in values.into_iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        match read_hop(value) {
            Some(address) => client = address,
            // The proxy doesn't know or doesn't say. Values further left could be the client's own.
            None => break,
        }
    }
    client
}

/// One address in `X-Forwarded-For`: with or without a port, brackets, quotation marks or an IPv6 zone.
fn read_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let host = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            let is_port = |port: &str| port.parse::<u16>().is_ok();
            (after.is_empty() || after.strip_prefix(':').is_some_and(is_port)).then_some(host)?
        }
        None => text,
    };
    let host = match host.split_once('%') {
        Some((host, zone)) if !zone.is_empty() => host,
        Some(_) => return None,
        None => host,
    };
    let with_port = || host.parse::<SocketAddr>().ok().filter(SocketAddr::is_ipv4).map(|address| address.ip());
    host.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The client of a request from this peer with these headers, where 10.0.0.0/8 and fd00::/8 are trusted.
    fn client(peer: &str, headers: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|range| read_range(range).unwrap());
        client_address(ip(peer), headers.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn the_client_is_the_right_most_address_that_is_no_trusted_proxy() {
        assert_eq!(client("10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, 203.0.113.7, 10.9.9.9"]), "203.0.113.7");
        // Several headers are one list, and each may be made up except what a trusted proxy added.
        assert_eq!(client("10.0.0.1", &["198.51.100.1", "203.0.113.7", "10.2.2.2,10.3.3.3"]), "203.0.113.7");
        assert_eq!(client("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["10.0.0.2, 10.0.0.3"]), "10.0.0.2", "all are proxies: the farthest one");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn whoever_is_no_trusted_proxy_is_not_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("::ffff:203.0.113.9", &["10.0.0.1"]), "203.0.113.9");
        let peer = ip("127.0.0.1");
        assert_eq!(client_address(peer, ["198.51.100.1"].into_iter(), &[]), peer, "nobody is trusted by default");
    }

    #[test]
    fn ports_brackets_zones_and_blanks_are_read_and_nonsense_ends_the_reading() {
        for (written, read) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            (" \t203.0.113.7 ", "203.0.113.7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%25eth0]:80", "fe80::7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ] {
            assert_eq!(client("10.0.0.1", &[written]), read, "{written}");
        }
        for nonsense in [
            "",
            " ",
            "unknown",
            "_hidden",
            "203.0.113",
            "203.0.113.7.8",
            "203.0.113.7:",
            "203.0.113.7:99999",
            "[2001:db8::7",
            "[2001:db8::7]x",
            "[2001:db8::7]:",
            "2001:db8::7%",
            "999.0.0.1",
            "for=203.0.113.7",
            "é",
            "203.0.113.7;10.0.0.1",
        ] {
            let list = format!("198.51.100.1, {nonsense}");
            assert_eq!(client("10.0.0.1", &[&list]), "10.0.0.1", "{nonsense:?}");
            let list = format!("198.51.100.1, {nonsense}, 10.0.0.9");
            assert_eq!(client("10.0.0.1", &[&list]), "10.0.0.9", "{nonsense:?}: the last trusted hop is known");
        }
    }

    #[test]
    fn a_network_is_a_24_of_ipv4_or_a_48_of_ipv6() {
        let network = |address: &str| Network::of(ip(address)).to_string();
        assert_eq!(network("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(network("::ffff:203.0.113.200"), "203.0.113.0/24");
        assert_eq!(network("2001:db8:7:8::9"), "2001:db8:7::/48");
    }

    #[test]
    fn ranges_of_proxies_are_read_or_refused() {
        for (written, read) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            (" 127.0.0.1 ", "127.0.0.1/32"),
            ("::1", "::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ] {
            assert_eq!(read_range(written).map(|range| range.to_string()).as_deref(), Some(read), "{written}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "proxy.example.org", "10.0.0.0/8/8", "*", "::ffff:10.0.0.0/95x"] {
            assert_eq!(read_range(wrong), None, "{wrong}");
        }
    }
}
