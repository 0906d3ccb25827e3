//! A network that breaks at the worst moment: while a commit is under way.

use std::sync::atomic::{AtomicU8, Ordering};

use dunlin_connect::Committed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const PASS: u8 = 0;
/// The commit reaches the server, its answer nobody.
const CUT_AFTER: u8 = 1;
/// The commit reaches nobody.
const CUT_BEFORE: u8 = 2;

/// Stands between client and server, and breaks one connection when told to.
async fn proxy(server: String, mode: Arc<AtomicU8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(forward(client, server, mode.clone()));
        }
    });
    port
}

async fn forward(client: TcpStream, server: TcpStream, mode: Arc<AtomicU8>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
        let commit = buffer[..n].windows(7).any(|w| w == b"COMMIT\0");
        let what = if commit { mode.swap(PASS, Ordering::SeqCst) } else { PASS };
        if what == CUT_AFTER {
            back.abort();
        }
        if what != CUT_BEFORE {
            to_server.write_all(&buffer[..n]).await.unwrap();
        }
        if what != PASS {
            // Long enough for the server to have done it.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            break;
        }
    }
    back.abort();
}

#[tokio::test]
async fn a_commit_without_an_answer_is_looked_up() {
    let setup = "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE copy (id int)";
    let Some(scene) = scene("proxy", setup).await else { return };
    let (head, rest) = scene.url.split_once('@').unwrap();
    let (address, database) = rest.split_once('/').unwrap();
    let mode = Arc::new(AtomicU8::new(PASS));
    let port = proxy(address.to_owned(), mode.clone()).await;
    let far = store(&format!("{head}@127.0.0.1:{port}/{database}")).await;
    let reader = scene.store.reader().await.unwrap();
    let batches = read_all(reader.as_ref(), &scene.table("t").await, Bounds::Whole).await;
    let table = scene.table("copy").await;
    let target = far.target().await.unwrap();
    target.prepare().await.unwrap();

    let first = spec(&table, "0");
    let load = loaded(target.as_ref(), &first, &batches).await;
    mode.store(CUT_AFTER, Ordering::SeqCst);
    assert_eq!(load.commit(&receipt(&first, "{}")).await.unwrap(), Committed::New);
    assert_eq!(scene.number("SELECT count(*) FROM copy").await, 1);

    let second = spec(&table, "1");
    let load = loaded(target.as_ref(), &second, &batches).await;
    mode.store(CUT_BEFORE, Ordering::SeqCst);
    let lost = load.commit(&receipt(&second, "{}")).await.unwrap_err();
    assert!(lost.is_transient(), "{lost:?}");
    assert_eq!(scene.number("SELECT count(*) FROM copy").await, 1);
    assert_eq!(target.receipts("run1").await.unwrap().len(), 1);
}
