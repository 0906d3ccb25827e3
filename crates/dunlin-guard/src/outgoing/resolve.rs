//! Where a name leads.
//!
//! Not here: whether an address may be called (`address`).

use std::io;
use std::net::IpAddr;

/// Asks for the addresses of a name.
#[async_trait::async_trait]
pub trait Resolver: Send + Sync {
    /// Every address of this name.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait::async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
