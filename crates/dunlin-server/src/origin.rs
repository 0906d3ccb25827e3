//! Where a request comes from. `X-Forwarded-For` is believed only from a trusted proxy, and then its rightmost hop
//! that is not one itself: whatever stands further left was written by the client.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The address of the client, given the peer of the connection and what it sent.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = canonical(peer);
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut nearest = peer;
    for hop in hops.iter().rev() {
        // A hop that is not an address was not written by a proxy of ours: what lies beyond is not believed.
        let Some(address) = hop_address(hop) else { return nearest };
        nearest = address;
        if !is_trusted(address) {
            return address;
        }
    }
    nearest
}

/// `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let with_port = hop.parse::<std::net::SocketAddr>().map(|a| a.ip()).ok();
    let bare = hop.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    bare.or(with_port).map(canonical)
}

/// IPv4 written as IPv6 is IPv4.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        four => four,
    }
}

/// What counts as one client for limits: an IPv4 address, or an IPv6 network of 64 bits, because one customer of a
/// provider has at least that.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(six) => {
            let s = six.segments();
            IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
        }
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn nobody_chooses_his_own_address() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(seen("203.0.113.9", &["1.1.1.1"], &proxies), "203.0.113.9", "the peer is no proxy");
        assert_eq!(seen("203.0.113.9", &["1.1.1.1"], &[]), "203.0.113.9", "no proxy at all");
        assert_eq!(
            seen("10.0.0.2", &["1.1.1.1, 203.0.113.9"], &proxies),
            "203.0.113.9",
            "forged to the left"
        );
        assert_eq!(seen("10.0.0.2", &["1.1.1.1", "203.0.113.9"], &proxies), "203.0.113.9", "two headers");
        assert_eq!(
            seen("10.0.0.2", &["1.1.1.1, 203.0.113.9, 10.0.0.7"], &proxies),
            "203.0.113.9",
            "two proxies"
        );
        assert_eq!(seen("10.0.0.2", &["203.0.113.9, nonsense"], &proxies), "10.0.0.2", "an unreadable hop");
        assert_eq!(seen("10.0.0.2", &[], &proxies), "10.0.0.2", "the proxy itself");
        assert_eq!(seen("::ffff:10.0.0.2", &["[2001:db8::1]:443"], &proxies), "2001:db8::1");
        assert_eq!(seen("fd00::1", &["203.0.113.9:5123"], &proxies), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["::ffff:10.9.9.9, 10.1.1.1"], &proxies), "10.9.9.9", "all are proxies");
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let net = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(net("2001:db8:1:2:aaaa::1"), net("2001:db8:1:2:ffff::9"));
        assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
        assert_eq!(net("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
