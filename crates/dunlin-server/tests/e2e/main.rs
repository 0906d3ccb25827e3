//! The server as its clients meet it: a real one on a loopback port, and a real HTTP client.
#![allow(clippy::unwrap_used)]

mod api;
mod bench;
mod customers;
mod data;
mod doors;
mod duplicates;
mod fake;
mod fake_duplicates;
mod for_customers;
mod live;
mod matrix;
mod me;
mod me_oidc;
mod notices;
mod pages;
mod plan;
mod requests;
mod tell;
mod unreached;
mod unsubscribe;
mod work;
