//! What the policies do, held against what they say.

mod api;
mod data;
mod files;
mod same;

use std::net::{IpAddr, Ipv4Addr};

use dunlin_plan::Role;

use crate::{Moment, Network, Stage, Via, Who};

/// A signed-in person.
pub(crate) fn who(id: &str, role: Role) -> Who {
    Who {
        person: id.to_owned(),
        name: "A Name".to_owned(),
        email: format!("{id}@example.com"),
        role,
        organisation: None,
        via: Via::Session(format!("session-{id}")),
        scopes: None,
        stage: Stage::Full,
        mfa_late: Some(0),
        mfa_age_s: Some(60),
        tables: None,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        network: Network::Loopback,
        at: Moment { wall: 0, late: 0, served: 0 },
    }
}
