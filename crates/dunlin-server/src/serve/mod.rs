//! The listener: binding, connections with their limits, TLS, and an orderly end.
//!
//! Not here: what is answered.

mod chores;
mod connection;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dunlin_ledger::{Actor, Body};
use dunlin_store::Workspace;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::app::{App, Parts};
use crate::config::{ConfigError, ServerConfig};
use crate::engine::Engine;
use crate::limits::Seats;
use connection::Connections;

/// Why the server could not begin, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// `server.toml` says what it may not, or lacks what it must say.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {listen} ({why}); is another server running there?")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// The kind of the failure.
        why: std::io::ErrorKind,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// dunlin's own state failed.
    #[error(transparent)]
    Store(#[from] dunlin_store::StoreError),
    /// The guard refused or failed.
    #[error(transparent)]
    Guard(#[from] dunlin_guard::GuardError),
    /// A part of the guard could not be made from the configuration.
    #[error("{0}")]
    Setup(String),
}

pub use tls::TlsError;

/// A server that has taken its address and does not answer yet.
pub struct Server {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<tls::Certificates>,
}

impl Server {
    /// Takes the address that the configuration names and makes everything ready.
    ///
    /// # Errors
    /// The configuration does not allow it, or the address, the certificate or the state is not to be had.
    pub async fn bind(
        workspace: Arc<Workspace>,
        config: ServerConfig,
        guard: dunlin_guard::Guard,
        engine: Arc<dyn Engine>,
    ) -> Result<Server, ServerError> {
        config.may_listen()?;
        let tls = config.tls.as_ref().map(tls::Certificates::load).transpose()?;
        let failed = |e: std::io::Error| ServerError::Listen { listen: config.listen, why: e.kind() };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = App::new(Parts { workspace, config, guard, engine, address }).await?;
        Ok(Server { app, listener, address, tls })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for people, without a slash at its end.
    pub fn url(&self) -> String {
        self.app.base_url().to_owned()
    }

    /// Where the page of a made-up host app is, when `server.toml` names one.
    pub fn demo_host(&self) -> Option<String> {
        self.app.config.tell.demo_host.as_ref().map(|_| format!("{}/tell/demo-host", self.url()))
    }

    /// Answers until `until` is done, then lets requests under way come to their end, for at most the configured
    /// time. Event streams are told to come back later.
    ///
    /// # Errors
    /// The state failed as the server entered that it starts or stops.
    pub async fn serve(self, until: impl Future<Output = ()> + Send) -> Result<(), ServerError> {
        let Server { app, listener, tls, .. } = self;
        let state = app.workspace.state();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        state.enter(Actor::System, Body::ServerStarted { version }).await?;
        let chores = chores::start(&app, tls.clone());
        let graceful = GracefulShutdown::new();
        let connections = Arc::new(Connections {
            router: crate::routes::router(app.clone()),
            tls: tls.map(|t| t.acceptor()),
            app: app.clone(),
            all: Arc::new(Semaphore::new(app.config.limits.connections)),
            by_address: Seats::new(app.config.limits.connections_per_address),
        });
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                taken = listener.accept() => match taken {
                    Ok((stream, peer)) => connections.clone().take(stream, peer, graceful.watcher()),
                    // Out of file descriptors, or a client that is gone already: neither is the server's end.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
        drop(listener);
        app.hub.drain();
        let drained = tokio::time::timeout(app.config.timeouts.drain(), graceful.shutdown()).await;
        if drained.is_err() {
            tracing::warn!("requests were still under way when the time to stop was over");
        }
        app.engine.stop().await;
        if tokio::time::timeout(app.config.timeouts.drain(), app.engine.stop()).await.is_err() {
            tracing::warn!(
                "runs were still under way when the time to stop was over; they go on from their last split"
            );
        }
        chores.stop().await;
        app.workspace.state().enter(Actor::System, Body::ServerStopped).await?;
        app.workspace.integrate().await?;
        Ok(())
    }
}
