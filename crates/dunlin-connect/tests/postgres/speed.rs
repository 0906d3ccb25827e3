//! How fast reading and writing are against the pipe of two `psql`, as text and as binary. Not run with the others:
//! `cargo nextest run -p dunlin-connect --test postgres --run-ignored only speed`, with a build that is optimised.

use std::process::Command;
use std::time::Instant;

use futures::StreamExt;

use super::*;

const ROWS: u64 = 1_000_000;

fn piped(scene: &Scene, format: &str) -> f64 {
    let start = Instant::now();
    let script = format!(
        "psql -qXc \"COPY people TO STDOUT {format}\" '{0}' | psql -qXc \"COPY copy FROM STDIN {format}\" '{0}'",
        scene.url
    );
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    start.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; needs an optimised build and psql"]
async fn as_fast_as_the_pipe() {
    let setup = format!(
        "CREATE TABLE people AS SELECT i::int8 AS id, 'person ' || i AS name, 'p' || i || '@example.com' AS email, \
            (i % 100000) / 100.0::numeric(12,2) AS balance, DATE '1950-01-01' + (i % 20000)::int AS born, \
            now() - i * interval '1 minute' AS seen, i % 3 = 0 AS active FROM generate_series(1, {ROWS}) i; \
         ALTER TABLE people ADD PRIMARY KEY (id), ALTER balance TYPE numeric(12,2); \
         CREATE TABLE copy (LIKE people); CHECKPOINT; ANALYZE people"
    );
    let Some(scene) = scene("speed", &setup).await else { return };
    let table = scene.table("people").await;
    let copy = scene.table("copy").await;
    let target = scene.target().await;
    for round in 0..3 {
        scene.sql.batch_execute("TRUNCATE copy").await.unwrap();
        let text = piped(&scene, "");
        scene.sql.batch_execute("TRUNCATE copy").await.unwrap();
        let binary = piped(&scene, "(FORMAT binary)");
        scene.sql.batch_execute("TRUNCATE copy").await.unwrap();

        let reader = scene.store.reader().await.unwrap();
        let start = Instant::now();
        let mut stream = reader.read(ReadRequest::all(table.clone(), Bounds::Whole)).await.unwrap();
        let mut count = 0;
        while let Some(batch) = stream.next().await {
            count += batch.unwrap().rows.num_rows() as u64;
        }
        assert_eq!(count, ROWS);
        let read = start.elapsed().as_secs_f64();

        let spec = spec(&copy, &round.to_string());
        let start = Instant::now();
        let mut load = target.begin(spec.clone()).await.unwrap();
        let mut stream = reader.read(ReadRequest::all(table.clone(), Bounds::Whole)).await.unwrap();
        let (mut unsettled, mut hash) = (0, RowHash::EMPTY);
        while let Some(batch) = stream.next().await {
            let batch = batch.unwrap();
            hash += hash_rows(&[3; 32], &batch.rows).into_iter().sum();
            unsettled += batch.rows.num_rows();
            load.write(batch.rows).await.unwrap();
            if unsettled > 50_000 {
                assert!(load.settle().await.unwrap().is_empty());
                unsettled = 0;
            }
        }
        assert!(load.settle().await.unwrap().is_empty());
        load.commit(&receipt(&spec, "{}")).await.unwrap();
        let both = start.elapsed().as_secs_f64();
        println!(
            "text pipe {text:.2} s, binary pipe {binary:.2} s, read alone {read:.2} s, read + hash + write {both:.2} s"
        );
    }
}
