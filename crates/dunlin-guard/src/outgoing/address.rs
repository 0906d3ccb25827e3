//! Which addresses are public, and the list of exceptions.
//!
//! The ranges are those of the IANA special-purpose registries (RFC 6890 and what followed). An IPv6 address
//! that carries an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo) is judged by what it carries too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// One exception: a host, a host with a port, an address, or a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A name, and its port when only that one is meant.
    Host(String, Option<u16>),
    /// A network; a single address is a network of one. With a port when only that one is meant.
    Net(IpNet, Option<u16>),
}

/// The exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(pub Vec<Allowed>);

impl FromStr for Allowed {
    type Err = ();

    /// `idp.local`, `idp.local:8443`, `10.1.2.3`, `10.0.0.0/8`, `127.0.0.1:9000`, `[::1]:9000`.
    fn from_str(text: &str) -> Result<Allowed, ()> {
        let text = text.trim();
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Allowed::Net(net, None));
        }
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Allowed::Net(ip.into(), None));
        }
        if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
            return Ok(Allowed::Net(socket.ip().into(), Some(socket.port())));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| ())?)),
            None => (text, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(());
        }
        Ok(Allowed::Host(name.to_ascii_lowercase(), port))
    }
}

impl AllowList {
    /// Why this address is refused, or `None`.
    ///
    /// A listed name may lead to private and loopback addresses. Link-local addresses, where clouds serve
    /// their machines' credentials, and addresses that are no host's must be listed themselves.
    pub(super) fn refuses(&self, name: Option<&str>, ip: IpAddr, port: u16) -> Option<&'static str> {
        let reason = refused_because(ip)?;
        if self.nets(ip, port) {
            return None;
        }
        let soft = matches!(reason, LOOPBACK | PRIVATE | SHARED);
        if soft && name.is_some_and(|n| self.hosts(n, port)) { None } else { Some(reason) }
    }

    /// Whether the name or the address is listed.
    pub(super) fn names(&self, name: Option<&str>, ip: IpAddr, port: u16) -> bool {
        self.nets(ip, port) || name.is_some_and(|n| self.hosts(n, port))
    }

    fn nets(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ip.to_canonical();
        let covers = |allowed: &Allowed| match allowed {
            Allowed::Net(net, p) => net.contains(&ip) && p.is_none_or(|p| p == port),
            Allowed::Host(..) => false,
        };
        self.0.iter().any(covers)
    }

    fn hosts(&self, name: &str, port: u16) -> bool {
        let name = name.trim_end_matches('.');
        let covers = |allowed: &Allowed| match allowed {
            Allowed::Host(host, p) => host.eq_ignore_ascii_case(name) && p.is_none_or(|p| p == port),
            Allowed::Net(..) => false,
        };
        self.0.iter().any(covers)
    }
}

const LOOPBACK: &str = "this machine itself";
const PRIVATE: &str = "a private network";
const SHARED: &str = "a carrier's shared network";
const LINK_LOCAL: &str = "a link-local address, where clouds keep their machines' credentials";
const METADATA: &str = "a cloud's metadata service";
const RESERVED: &str = "an address that is reserved";
const NO_HOST: &str = "an address that is no single host";

/// Why this address is not public, or `None` when it is.
pub fn refused_because(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(v4) => v4_refused(v4),
        IpAddr::V6(v6) => v6_refused(v6),
    }
}

fn v4_refused(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, d] = ip.octets();
    match (a, b, c, d) {
        (0, ..) => Some(NO_HOST),
        (127, ..) => Some(LOOPBACK),
        (10, ..) | (192, 168, ..) => Some(PRIVATE),
        (172, b, ..) if (16..32).contains(&b) => Some(PRIVATE),
        (100, 100, 100, 200) => Some(METADATA), // Alibaba Cloud
        (100, b, ..) if (64..128).contains(&b) => Some(SHARED),
        (169, 254, ..) => Some(LINK_LOCAL),
        (168, 63, 129, 16) => Some(METADATA), // Azure's wire server, a public address
        (192, 0, 0, _) | (192, 0, 2, _) | (198, 51, 100, _) | (203, 0, 113, _) => Some(RESERVED),
        (192, 31, 196, _) | (192, 52, 193, _) | (192, 88, 99, _) | (192, 175, 48, _) => Some(RESERVED),
        (198, b, ..) if b == 18 || b == 19 => Some(RESERVED),
        (a, ..) if a >= 240 => Some(RESERVED),
        (a, ..) if a >= 224 => Some(NO_HOST),
        _ => None,
    }
}

fn v6_refused(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    let embedded = |hi: u16, lo: u16| {
        let [a, b] = hi.to_be_bytes();
        let [c, d] = lo.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    if ip.is_loopback() {
        return Some(LOOPBACK);
    }
    if ip.is_unspecified() || ip.is_multicast() {
        return Some(NO_HOST);
    }
    // Mapped ::ffff:a.b.c.d, translated ::ffff:0:a.b.c.d and compatible ::a.b.c.d: always refused where the
    // carried address is, and otherwise too for the last two, which are no longer in use.
    if s[..5] == [0; 5] && s[5] == 0xffff {
        return v4_refused(embedded(s[6], s[7]));
    }
    if s[..4] == [0; 4] {
        return Some(v4_refused(embedded(s[6], s[7])).unwrap_or(RESERVED));
    }
    // NAT64: the well-known prefix carries a public address; the local one leads into the own network.
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return v4_refused(embedded(s[6], s[7]));
    }
    if s[..3] == [0x64, 0xff9b, 1] {
        return Some(PRIVATE);
    }
    match s[0] {
        0x2002 => return v4_refused(embedded(s[1], s[2])).or(Some(RESERVED)), // 6to4
        0x2001 if s[1] == 0 => return Some(RESERVED),                         // Teredo
        0x2001 if s[1] == 0xdb8 => return Some(RESERVED),
        0x2001 if s[1] < 0x200 => return Some(RESERVED), // IETF assignments
        0x3fff if s[1] < 0x1000 => return Some(RESERVED), // documentation, RFC 9637
        0x0100 if s[1..4] == [0; 3] => return Some(NO_HOST), // discard
        0x5f00 => return Some(RESERVED),                 // segment routing
        _ => {}
    }
    if s == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] {
        return Some(METADATA);
    }
    match s[0] {
        h if h & 0xffc0 == 0xfe80 => Some(LINK_LOCAL),
        h if h & 0xffc0 == 0xfec0 => Some(PRIVATE),
        h if h & 0xfe00 == 0xfc00 => Some(PRIVATE),
        h if h & 0xe000 == 0x2000 => None,
        _ => Some(RESERVED), // IANA gives out 2000::/3 alone
    }
}
