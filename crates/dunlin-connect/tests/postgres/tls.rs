//! Encryption: which servers are believed under which `sslmode`.

use std::path::Path;
use std::process::Command;

use dunlin_connect::ConnectError;

use super::*;

/// An authority and a server certificate of it for another host's name, as files in `folder`.
fn certificates(folder: &Path) -> bool {
    let script = "set -e; cd \"$0\"; \
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca \
            -addext basicConstraints=critical,CA:TRUE; \
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=db.example; \
        printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > ext; \
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt; \
        openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other-ca; \
        chmod 600 server.key; chown --reference=PG_VERSION server.key server.crt";
    Command::new("sh").args(["-c", script]).arg(folder).output().is_ok_and(|o| o.status.success())
}

#[tokio::test]
async fn each_mode_believes_what_it_says() {
    let Some(mut server) = dunlin_testkit::start_private() else { return };
    if !certificates(&server.folder()) {
        eprintln!("skipped: openssl could not make certificates");
        return;
    }
    server.kill();
    let settings = server.folder().join("postgresql.auto.conf");
    std::fs::write(settings, "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n")
        .unwrap();
    server.resume();
    let ca = server.folder().join("ca.pem").display().to_string();
    let other = server.folder().join("other.pem").display().to_string();
    let address = server.url("postgres");
    let named = address.replace("127.0.0.1", "localhost");
    // The certificate is for `localhost`, so the address alone is not its name.
    for (url, query, works) in [
        (&address, String::new(), true),
        (&address, "?sslmode=disable".into(), true),
        (&address, "?sslmode=require".into(), true),
        (&address, format!("?sslmode=require&sslrootcert={ca}"), true),
        (&address, format!("?sslmode=require&sslrootcert={other}"), false),
        (&address, format!("?sslmode=verify-ca&sslrootcert={ca}"), true),
        (&address, "?sslmode=verify-ca".into(), false),
        (&address, format!("?sslmode=verify-full&sslrootcert={ca}"), false),
        (&named, format!("?sslmode=verify-full&sslrootcert={ca}"), true),
        (&named, format!("?sslmode=verify-full&sslrootcert={other}"), false),
    ] {
        let outcome = open("atlas", &format!("{url}{query}"), &OpenOptions::default()).await;
        match outcome {
            Ok(store) => {
                assert!(works, "{query}");
                let probes = store.probe(&[], false).await;
                let line = probes.iter().find(|p| p.act == "encryption").unwrap();
                let clear = query.contains("disable");
                assert_eq!(line.detail.starts_with("TLS"), !clear, "{query}: {}", line.detail);
            }
            Err(error) => {
                assert!(!works, "{query}: {error}");
                assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
            }
        }
    }
}
