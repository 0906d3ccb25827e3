//! One connection: a place for it, TLS, HTTP/1.1 or 2, and time limits against clients that only hold it open.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::app::App;
use crate::layers::Peer;
use crate::limits::Seats;
use crate::origin::network_of;

/// What all connections share.
pub(super) struct Connections {
    pub(super) router: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) app: App,
    pub(super) all: Arc<Semaphore>,
    pub(super) by_address: Arc<Seats<IpAddr>>,
}

impl Connections {
    /// Serves a connection in a task of its own, or closes it when there is no place for it.
    pub(super) fn take(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        let Ok(place) = self.all.clone().try_acquire_owned() else {
            self.app.metrics.refused("connections");
            return;
        };
        // A proxy stands for many clients: its connections are not one client's.
        let network = network_of(peer.ip());
        let is_proxy = self.app.config.behind_proxy.iter().any(|net| net.contains(&network));
        let seat = if is_proxy { None } else { self.by_address.take(&network) };
        if seat.is_none() && !is_proxy {
            self.app.metrics.refused("connections_of_address");
            return;
        }
        tokio::spawn(async move {
            let _held = (place, seat);
            self.app.metrics.connections.inc();
            self.serve(stream, peer, watcher).await;
            self.app.metrics.connections.dec();
        });
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            // Without ALPN nobody can say HTTP/2, and waiting to see which it is would have no time limit.
            return self.speak(stream, false, peer, watcher).await;
        };
        let shaken = tokio::time::timeout(self.app.config.timeouts.header(), tls.accept(stream)).await;
        if let Ok(Ok(stream)) = shaken {
            let two = stream.get_ref().1.alpn_protocol() == Some(b"h2".as_slice());
            self.speak(stream, two, peer, watcher).await;
        }
    }

    async fn speak<S>(&self, stream: S, two: bool, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let builder = Builder::new(TokioExecutor::new());
        let mut builder = if two { builder.http2_only() } else { builder.http1_only() };
        let patience = self.app.config.timeouts.header();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(64 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .max_header_list_size(32 * 1024)
            .keep_alive_interval(patience * 2)
            .keep_alive_timeout(patience);
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let answer = router.clone().oneshot(request);
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        // What a client does to its own connection is no business of the log.
        let _ = watcher.watch(connection).await;
    }
}
