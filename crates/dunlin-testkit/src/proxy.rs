//! A network that can be broken: stands between a client and a server, and cuts, delays or truncates one connection
//! when it is told to, once. Threads and blocking sockets, so that it also serves tests that run a process.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What happens to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A connection is closed in the moment at which its client says this; the server does not hear it any more.
    CutAt(Vec<u8>),
    /// A connection is closed after so many bytes of all of them together.
    CutAfter(u64),
    /// As [`Fault::CutAfter`], and half of the last piece still arrives.
    TruncateAfter(u64),
    /// After so many bytes a connection stands still for so long, then goes on.
    DelayAfter(u64, Duration),
}

#[derive(Default)]
struct Now {
    fault: Option<Fault>,
    bytes: u64,
    struck: u32,
}

/// A proxy in front of one server, for as long as the test lives.
pub struct Proxy {
    port: u16,
    now: Arc<Mutex<Now>>,
}

/// What becomes of a piece of bytes.
enum Fate {
    Pass,
    Cut,
    Half,
    Wait(Duration),
}

impl Proxy {
    /// A proxy in front of the server of a PostgreSQL URL, and the URL that goes through it.
    pub fn before(url: &str) -> (Proxy, String) {
        let (head, rest) = url.split_once('@').expect("a URL with a user");
        let (server, database) = rest.split_once('/').expect("a URL with a database");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let proxy = Proxy { port, now: Arc::default() };
        let (server, now) = (server.to_owned(), proxy.now.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is away refuses: so does its proxy, by closing.
                let Ok(server) = TcpStream::connect(&server) else { continue };
                join(client, server, &now);
            }
        });
        let through = format!("{head}@127.0.0.1:{}/{database}", proxy.port);
        (proxy, through)
    }

    /// From now on; strikes once.
    pub fn arm(&self, fault: Fault) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        (now.fault, now.bytes) = (Some(fault), 0);
    }

    /// How often something was broken.
    pub fn struck(&self) -> u32 {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).struck
    }
}

fn join(client: TcpStream, server: TcpStream, now: &Arc<Mutex<Now>>) {
    let ends = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
    for asking in [true, false] {
        let Some((client, server)) = ends() else { return };
        let now = now.clone();
        std::thread::spawn(move || {
            let (from, to) = if asking { (client, server) } else { (server, client) };
            forward(from, to, asking, &now);
        });
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, asking: bool, now: &Mutex<Now>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let piece = match fate(&buffer[..n], asking, now) {
            Fate::Pass => &buffer[..n],
            Fate::Cut => break,
            Fate::Half => {
                let _ = to.write_all(&buffer[..n / 2]);
                break;
            }
            Fate::Wait(time) => {
                std::thread::sleep(time);
                &buffer[..n]
            }
        };
        if to.write_all(piece).is_err() {
            break;
        }
    }
    // One side has gone, so the other has nobody to speak to.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn fate(piece: &[u8], asking: bool, now: &Mutex<Now>) -> Fate {
    let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
    now.bytes += piece.len() as u64;
    let bytes = now.bytes;
    let fate = match &now.fault {
        Some(Fault::CutAt(said)) if asking && piece.windows(said.len()).any(|w| w == said) => Fate::Cut,
        Some(Fault::CutAfter(after)) if bytes > *after => Fate::Cut,
        Some(Fault::TruncateAfter(after)) if bytes > *after => Fate::Half,
        Some(Fault::DelayAfter(after, time)) if bytes > *after => Fate::Wait(*time),
        _ => return Fate::Pass,
    };
    now.fault = None;
    now.struck += 1;
    fate
}
