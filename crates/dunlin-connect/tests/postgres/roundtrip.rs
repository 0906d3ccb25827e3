//! Every type out of one table and into another, and the rows' hash is the same.

use std::sync::Arc;

use dunlin_connect::{
    Bounds, ColumnType, Committed, Generated, Identity, LoadColumn, ReadColumn, ReadRequest, Reason,
};

use super::*;

const EVERY_TYPE: &str = r#"
    CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN email AS varchar(40) CHECK (value LIKE '%@%');
    CREATE SCHEMA "Odd Schema";
    CREATE TABLE "Odd Schema"."Select" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "order" serial, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8,
        d numeric(12,2), d38 numeric(38,10), n numeric, t text, v varchar(10), c char(5), "ÄnyThing" name,
        m mood, ms mood[], e email, y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j json,
        jb jsonb, ip inet, r int4range, iv interval, ar int[], tt timetz, p pair, bi bit(3), x xml, mo money,
        doubled bigint GENERATED ALWAYS AS (i8 * 2) STORED);
    INSERT INTO "Odd Schema"."Select" (b, i2, i4, i8, f4, f8, d, d38, n, t, v, c, "ÄnyThing", m, ms, e, y, da, ti,
        ts, tz, u, j, jb, ip, r, iv, ar, tt, p, bi, x, mo) VALUES
      (true, -32768, 2147483647, 4611686018427387903, 'NaN', '-0', 1234567890.12, 0.0000000001, 'NaN', 'tab	"quote" \ ünï',
       'ten chars!', 'ab', 'name', 'it''s "ok"', '{sad,NULL}', 'a@b', '\x00ff', 'infinity', '24:00', '-infinity',
       '2024-02-29 12:00+02', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"b" :1,"a":2}', '{"b" :1,"a":2}', '10.0.0.1/8',
       '[1,5)', '1 mon 2 days', '{1,NULL,3}', '12:00+02', '(1,"x y")', '101', '<a/>', '12.50'),
      (false, 0, 0, 0, 0, 'Infinity', -0.01, -1234567890123456789012345678.0123456789,
       -123456789012345678901234567890123456789012.50, '', '', '', '', 'sad', '{}', '@', '', '4713-01-01 BC', '00:00',
       '0044-03-15 BC', 'infinity', '00000000-0000-0000-0000-000000000000', '1', 'null', '::1', 'empty', '-1 sec', '{}',
       '00:00', '(,)', '000', '', '0'),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO "Odd Schema"."Select" (n, d) SELECT i * 0.1, i FROM generate_series(1, 499) i;
    INSERT INTO "Odd Schema"."Select" (jb, t) SELECT jsonb_agg(i), repeat('long ', 500000) FROM generate_series(1, 300000) i;"#;

#[tokio::test]
async fn every_type_comes_back_with_the_same_hash() {
    let Some(from) = scene("types_from", EVERY_TYPE).await else { return };
    let types = "CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"'); CREATE TYPE pair AS (a int, b text);";
    let Some(to) = scene("types_to", types).await else { return };
    let source = from.table("Odd Schema.Select").await;
    assert_eq!(source.column("id").unwrap().identity, Some(Identity::Always));
    assert_eq!(source.column("order").unwrap().identity, Some(Identity::ByDefault));
    assert_eq!(source.column("doubled").unwrap().generated, Some(Generated::Stored));
    assert_eq!(source.column("e").unwrap().ty, ColumnType::Text { max: Some(40) });
    assert_eq!(source.column("ms").unwrap().declared, "public.mood[]");

    let target = to.target().await;
    let mut wanted = (*source).clone();
    for column in &mut wanted.columns {
        column.ty = target.nearest_type(&column.ty);
    }
    target.create(&wanted).await.unwrap();
    let made = to.table("Odd Schema.Select").await;
    for (a, b) in source.columns.iter().zip(&made.columns) {
        assert_eq!(a.ty, b.ty, "{}", a.name);
    }
    assert_eq!(made.column("m").unwrap().declared, "public.mood");
    assert_eq!(made.column("ms").unwrap().declared, "public.mood[]");

    let reader = from.store.reader().await.unwrap();
    let all = read_all(reader.as_ref(), &source, Bounds::Whole).await;
    assert_eq!((rows(&all), all.iter().map(|b| b.bad.len()).sum::<usize>()), (503, 0));
    // A generated column is read and not written.
    let spec = spec(&made, "0");
    let mut request = ReadRequest::all(source.clone(), Bounds::Whole);
    request.columns = spec.columns.iter().map(|c| ReadColumn { index: c.index, as_text: false }).collect();
    let writable = collect(reader.read(request).await.unwrap()).await;
    let load = loaded(target.as_ref(), &spec, &writable).await;
    assert_eq!(load.commit(&receipt(&spec, "{}")).await.unwrap(), Committed::New);
    target.complete(&wanted).await.unwrap();
    target.connect_keys(&wanted).await.unwrap();
    target.complete(&wanted).await.unwrap();

    let again = read_all(to.store.reader().await.unwrap().as_ref(), &made, Bounds::Whole).await;
    assert_eq!(rows(&again), 503);
    assert_eq!(hash(&again), hash(&all));
    assert_eq!(to.table("Odd Schema.Select").await.primary_key, ["id"]);
    // Both counters go on where the source's would have.
    let next = "INSERT INTO \"Odd Schema\".\"Select\" (t) VALUES ('x') RETURNING id * 10000 + \"order\"";
    assert_eq!(to.number(next).await, 5_040_504);
    target.finish().await.unwrap();
    assert_eq!(to.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'dunlin'").await, 0);
}

#[tokio::test]
async fn text_passes_through_the_servers_own_input() {
    let setup = "CREATE TABLE t (id int, ip inet, d numeric(5,2), j jsonb, b bit(3), da date, y bytea)";
    let Some(scene) = scene("as_text", setup).await else { return };
    let table = scene.table("t").await;
    let mut spec = spec(&table, "0");
    spec.columns = (0..table.columns.len()).map(|index| LoadColumn { index, as_text: index > 0 }).collect();
    let target = scene.target().await;
    let texts = |values: [&str; 6]| {
        let mut columns: Vec<(String, arrow::array::ArrayRef)> =
            vec![("id".into(), Arc::new(arrow::array::Int32Array::from(vec![1])))];
        for (value, column) in values.iter().zip(&table.columns[1..]) {
            columns.push((column.name.clone(), Arc::new(arrow::array::StringArray::from(vec![*value]))));
        }
        arrow::array::RecordBatch::try_from_iter(columns).unwrap()
    };
    let mut load = target.begin(spec.clone()).await.unwrap();
    load.write(texts(["10.0.0.1", "1.25", "{\"a\": 1}", "101", "2024-02-29", "\\x00ff"])).await.unwrap();
    load.write(texts(["not an address", "1", "{}", "101", "2024-01-01", ""])).await.unwrap();
    load.write(texts(["::1", "1", "{", "101", "2024-01-01", ""])).await.unwrap();
    load.write(texts(["::1", "1", "{}", "1011", "2024-01-01", ""])).await.unwrap();
    load.write(texts(["::1", "10000", "{}", "101", "2024-01-01", ""])).await.unwrap();
    load.write(texts(["::1", "1", "{}", "101", "2023-02-29", ""])).await.unwrap();
    let refused = load.settle().await.unwrap();
    let reasons: Vec<_> = refused.iter().map(|r| (r.ordinal, r.reason)).collect();
    assert_eq!(
        reasons,
        [
            (1, Reason::WrongType),
            (2, Reason::WrongType),
            (3, Reason::WouldChange),
            (4, Reason::OutOfRange),
            (5, Reason::OutOfRange)
        ]
    );
    load.commit(&receipt(&spec, "{}")).await.unwrap();
    let good = "SELECT count(*) FROM t WHERE ip = '10.0.0.1' AND d = 1.25 AND j->>'a' = '1' AND b = B'101' \
        AND da = '2024-02-29' AND y = '\\x00ff'";
    assert_eq!(scene.number(good).await, 1);
    assert_eq!(scene.number("SELECT count(*) FROM t").await, 1);

    // And out again as text.
    let mut request = ReadRequest::all(table.clone(), Bounds::Whole);
    request.columns = (0..7).map(|index| ReadColumn { index, as_text: true }).collect();
    let reader = scene.store.reader().await.unwrap();
    let batch = collect(reader.read(request).await.unwrap()).await.remove(0).rows;
    let row: Vec<String> = batch
        .columns()
        .iter()
        .map(|c| arrow::array::AsArray::as_string::<i32>(c.as_ref()).value(0).to_owned())
        .collect();
    assert_eq!(row, ["1", "10.0.0.1/32", "1.25", "{\"a\": 1}", "101", "2024-02-29", "\\x00ff"]);
}
