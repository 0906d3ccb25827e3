//! Keys: rows that stand against them, cycles, triggers, indexes, rows that a NOT VALID constraint leaves in peace.

use dunlin_connect::{Column, ColumnType, Index, Reason, Unique};

use super::*;

#[tokio::test]
async fn violators_are_found_before_keys_are_added() {
    let setup = "CREATE TABLE team (id int PRIMARY KEY); INSERT INTO team VALUES (1);
        CREATE TABLE people (id int NOT NULL, team int, email text);
        INSERT INTO people VALUES (1, 1, 'a'), (2, 1, 'a'), (2, 9, NULL), (3, NULL, NULL), (3, 9, 'b')";
    let Some(scene) = scene("violators", setup).await else { return };
    let target = scene.target().await;
    let mut table = (*scene.table("people").await).clone();
    let unique =
        |columns: &[&str]| Unique { name: None, columns: columns.iter().map(|c| c.to_string()).collect() };
    table.primary_key = vec!["id".into()];
    table.uniques.push(unique(&["email"]));
    table.foreign_keys.push(dunlin_connect::ForeignKey {
        name: Some("people_team".into()),
        columns: vec!["team".into()],
        parent: TableName::bare("team"),
        parent_columns: vec!["id".into()],
        on_delete: "CASCADE".into(),
        on_update: "NO ACTION".into(),
        deferrable: true,
        validated: true,
    });
    table.indexes.push(Index {
        name: "people_lower".into(),
        columns: vec![],
        unique: false,
        definition: Some("CREATE INDEX people_lower ON old.folk USING btree (lower(email))".into()),
    });
    let shared = Arc::new(table.clone());
    let mut gone = Vec::new();
    for unique in [unique(&["id"]), unique(&["email"])] {
        let violation = target.unique_violators(&table, &unique).await.unwrap();
        assert_eq!(violation.reason, Reason::Unique);
        gone.extend(collect(violation.rows).await.iter().flat_map(|b| b.positions.clone()));
    }
    assert_eq!(gone, [3, 5, 2]);
    let key = target.foreign_key_violators(&table, &table.foreign_keys[0]).await.unwrap();
    assert_eq!((key.reason, key.constraint.as_str()), (Reason::ForeignKey, "people_team"));
    assert_eq!(collect(key.rows).await.iter().flat_map(|b| b.positions.clone()).collect::<Vec<_>>(), [3, 5]);

    let spec = spec(&shared, "amend");
    let mut load = target.begin(spec.clone()).await.unwrap();
    assert_eq!(load.delete(&gone).await.unwrap(), 3);
    load.commit(&receipt(&spec, "{}")).await.unwrap();
    for _ in 0..2 {
        target.complete(&table).await.unwrap();
        target.connect_keys(&table).await.unwrap();
    }
    let now = scene.table("people").await;
    assert_eq!(
        (now.primary_key.len(), now.uniques.len(), now.foreign_keys.len(), now.indexes.len()),
        (1, 1, 1, 1)
    );
    assert_eq!(now.foreign_keys[0].on_delete, "CASCADE");
    assert!(now.foreign_keys[0].deferrable && now.foreign_keys[0].validated);
    assert_eq!(
        now.indexes[0].definition.as_deref(),
        Some("CREATE INDEX people_lower ON public.people USING btree (lower(email))")
    );
}

#[tokio::test]
async fn cycles_and_triggers_step_aside_and_come_back() {
    let setup =
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
        ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b DEFERRABLE;
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER swallow BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER always BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
        ALTER TABLE a ENABLE ALWAYS TRIGGER always";
    let Some(scene) = scene("cycles", setup).await else { return };
    let target = scene.target().await;
    let (a, b) = (scene.table("a").await, scene.table("b").await);
    let cyclic: Vec<_> = a.foreign_keys.iter().chain(&b.foreign_keys).cloned().collect();
    for _ in 0..2 {
        target.before_load(&[(*a).clone(), (*b).clone()], &cyclic).await.unwrap();
    }
    assert!(scene.table("a").await.foreign_keys.is_empty());
    for table in [&a, &b] {
        let spec = spec(table, "0");
        let mut load = target.begin(spec.clone()).await.unwrap();
        let ids = || Arc::new(arrow::array::Int32Array::from(vec![1, 2])) as arrow::array::ArrayRef;
        let batch = arrow::array::RecordBatch::try_from_iter([("id", ids()), ("x", ids())]).unwrap();
        load.write(batch).await.unwrap();
        assert_eq!(load.settle().await.unwrap(), []);
        load.commit(&receipt(&spec, "{}")).await.unwrap();
    }
    for table in [&a, &b] {
        target.complete(table).await.unwrap();
    }
    for table in [&a, &b, &a] {
        target.connect_keys(table).await.unwrap();
    }
    assert_eq!(scene.number("SELECT count(*) FROM a").await, 2);
    assert_eq!(scene.table("a").await.foreign_keys, a.foreign_keys);
    assert_eq!(scene.table("b").await.foreign_keys, b.foreign_keys);
    let modes = "SELECT count(*) FROM pg_trigger WHERE tgname || tgenabled::text IN ('swallowO', 'alwaysA')";
    assert_eq!(scene.number(modes).await, 2);
    assert_eq!(scene.number("SELECT count(*) FROM dunlin.taken").await, 0);
}

#[tokio::test]
async fn a_constraint_that_is_not_valid_stays_so() {
    let setup = "CREATE TABLE team (id int PRIMARY KEY); CREATE TABLE people (team int); INSERT INTO people VALUES (7);
        ALTER TABLE people ADD FOREIGN KEY (team) REFERENCES team NOT VALID";
    let Some(scene) = scene("not_valid", setup).await else { return };
    let table = scene.table("people").await;
    assert!(!table.foreign_keys[0].validated);
    scene.sql.batch_execute("ALTER TABLE people DROP CONSTRAINT people_team_fkey").await.unwrap();
    scene.target().await.connect_keys(&table).await.unwrap();
    assert_eq!(scene.table("people").await.foreign_keys, table.foreign_keys);
}

#[tokio::test]
async fn tables_of_other_systems_get_the_nearest_types() {
    let Some(scene) = scene("nearest", "").await else { return };
    let target = scene.target().await;
    let column = |name: &str, ty: ColumnType, declared: &str, default: Option<&str>| Column {
        declared: declared.into(),
        default: default.map(str::to_owned),
        ..Column::new(name, ty)
    };
    let unknown = ColumnType::Opaque { name: "geometry".into() };
    assert_eq!(target.nearest_type(&unknown), ColumnType::TEXT);
    let table = Table::new(
        table_name("new schema.t"),
        vec![
            column("a", ColumnType::Int64, "INTEGER", Some("0")),
            column("b", ColumnType::TEXT, "TIMESTAMP", Some("CURRENT_TIMESTAMP")),
            column("c", unknown, "geometry", None),
            column("d", ColumnType::Decimal { precision: 5, scale: 1 }, "x); DROP TABLE y; --", None),
            column("f", ColumnType::TEXT, "name", None),
            column("g", ColumnType::Numeric, "numeric(50,2)", None),
            column("e", ColumnType::Opaque { name: "bit".into() }, "bit(3)", Some("evil()")),
        ],
    );
    target.create(&table).await.unwrap();
    assert!(target.create(&table).await.is_err(), "it exists");
    let made = scene.table("new schema.t").await;
    let declared: Vec<_> = made.columns.iter().map(|c| c.declared.as_str()).collect();
    assert_eq!(declared, ["bigint", "text", "text", "numeric(5,1)", "text", "numeric", "bit(3)"]);
    assert_eq!(made.columns[6].default, None);
    target.drop_table(&table.name).await.unwrap();
    assert!(scene.store.table(&table.name).await.unwrap().is_none());
}
