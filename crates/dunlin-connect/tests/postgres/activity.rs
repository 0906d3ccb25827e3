//! Who is connected, as the server tells it.

use dunlin_connect::{Activity, Connection, Store};

use crate::{scene, store};

async fn connections(store: &dyn Store) -> Vec<Connection> {
    match store.activity().await.unwrap() {
        Activity::Connections(all) => all,
        Activity::NotApplicable(why) => panic!("{why}"),
    }
}

#[tokio::test]
async fn activity_tells_dunlins_own_connections_from_those_that_pass_by_it() {
    let Some(scene) = scene("activity", "CREATE TABLE people (id int)").await else { return };
    let (others, own): (Vec<_>, Vec<_>) = connections(&*scene.store).await.into_iter().partition(|c| !c.own);
    assert!(own.iter().any(|c| c.application == "dunlin" && c.state == "active"), "the one that asks");
    // The scene's own bare connection calls itself nothing.
    assert_eq!(others.len(), 1, "{others:?}");
    assert!(others[0].since.is_some_and(|at| at > 1_600_000_000_000_000) && !others[0].user.is_empty());

    let named = |url: &str, name: &str| {
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}application_name={name}")
    };
    let psql = dunlin_testkit::connect(&named(&scene.url, "psql")).await;
    let seen = connections(&*scene.store).await;
    assert!(seen.iter().any(|c| c.application == "psql" && !c.own), "{seen:?}");
    assert_eq!(seen.iter().filter(|c| !c.own).count(), 2, "{seen:?}");
    drop(psql);

    // A store whose URL names its own application still knows itself.
    let other = store(&named(&scene.url, "atlas-move")).await;
    let seen = connections(&*other).await;
    assert!(seen.iter().any(|c| c.application == "atlas-move" && c.own), "{seen:?}");
}

#[tokio::test]
async fn activity_of_another_user_who_calls_themselves_dunlin_is_not_own() {
    let Some(scene) = scene("activity_pretender", "CREATE TABLE people (id int)").await else { return };
    let role = format!("pretender_{}", std::process::id());
    scene.sql.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await.unwrap();
    let mut config: tokio_postgres::Config = scene.url.parse().unwrap();
    config.user(&role).password("x").application_name("dunlin");
    let Ok((client, driver)) = config.connect(tokio_postgres::NoTls).await else {
        // A server that lets only one user in cannot show this.
        scene.sql.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();
        return;
    };
    let task = tokio::spawn(driver);
    client.batch_execute("SELECT 1").await.unwrap();
    let seen = connections(&*scene.store).await;
    assert!(seen.iter().any(|c| c.user == role && c.application == "dunlin" && !c.own), "{seen:?}");
    drop(client);
    let _ = task.await;
    scene.sql.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();
}
