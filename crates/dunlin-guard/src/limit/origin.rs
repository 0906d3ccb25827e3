//! Where a request comes from, as the server found out: an address behind trusted proxies only, and the browser's
//! word about itself.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// What kind of network an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// This machine.
    Loopback,
    /// A private or link-local range (RFC 1918, RFC 4193, RFC 3927), or shared space (RFC 6598).
    Private,
    /// The rest.
    Public,
}

impl Network {
    /// The kind of this address.
    pub fn of(address: IpAddr) -> Network {
        match address.to_canonical() {
            a if a.is_loopback() => Network::Loopback,
            IpAddr::V4(a) => {
                let shared = a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64;
                if a.is_private() || a.is_link_local() || shared { Network::Private } else { Network::Public }
            }
            IpAddr::V6(a) if a.is_unique_local() || a.is_unicast_link_local() => Network::Private,
            IpAddr::V6(_) => Network::Public,
        }
    }

    /// The word in the state and in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Network::Loopback => "loopback",
            Network::Private => "private",
            Network::Public => "public",
        }
    }
}

/// Where a request comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's address: the server has looked through trusted proxies, and through no others.
    pub address: IpAddr,
    /// The `User-Agent`, cut to 256 characters, without control characters.
    pub agent: String,
}

impl Origin {
    /// From an address and a `User-Agent`.
    pub fn new(address: IpAddr, agent: &str) -> Origin {
        let agent = agent.chars().filter(|c| !c.is_control()).take(256).collect();
        Origin { address: address.to_canonical(), agent }
    }

    /// What limits count by: the address, or the /64 of an IPv6 address, since that is what one customer gets.
    pub fn network(&self) -> String {
        match self.address {
            IpAddr::V4(a) => a.to_string(),
            IpAddr::V6(a) => {
                let s = a.segments();
                format!("{}/64", Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
            }
        }
    }

    /// The device in words, e.g. `Firefox on Linux`.
    pub fn device(&self) -> String {
        let has = |word: &str| self.agent.contains(word);
        // Order matters: Edge and Opera call themselves Chrome too, Chrome calls itself Safari.
        let browsers = [
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
            ("dunlin/", "dunlin"),
            ("curl/", "curl"),
        ];
        let systems = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("CrOS", "ChromeOS"),
            ("Linux", "Linux"),
        ];
        let find = |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| has(mark)).map(|(_, n)| *n);
        match (find(&browsers), find(&systems)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => "unknown device".to_owned(),
        }
    }
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Origin(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str, agent: &str) -> Origin {
        Origin::new(address.parse().unwrap(), agent)
    }

    #[test]
    fn an_ipv6_customer_is_one_network_and_a_mapped_address_is_its_ipv4() {
        assert_eq!(origin("2001:db8:1:2::1", "").network(), origin("2001:db8:1:2:ffff::9", "").network());
        assert_ne!(origin("2001:db8:1:2::1", "").network(), origin("2001:db8:1:3::1", "").network());
        assert_eq!(origin("::ffff:192.0.2.7", "").network(), "192.0.2.7");
    }

    #[test]
    fn networks_by_kind() {
        for (address, kind) in [
            ("127.0.0.1", Network::Loopback),
            ("::1", Network::Loopback),
            ("::ffff:127.0.0.1", Network::Loopback),
            ("10.1.2.3", Network::Private),
            ("100.64.0.1", Network::Private),
            ("fd00::1", Network::Private),
            ("fe80::1", Network::Private),
            ("192.0.2.1", Network::Public),
            ("2001:db8::1", Network::Public),
        ] {
            assert_eq!(Network::of(address.parse().unwrap()), kind, "{address}");
        }
    }

    #[test]
    fn devices_are_named_as_people_know_them() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(origin("::1", edge).device(), "Edge on Windows");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1";
        assert_eq!(origin("::1", phone).device(), "Safari on iPhone");
        assert_eq!(origin("::1", "\u{1b}[31m").device(), "unknown device");
    }
}
