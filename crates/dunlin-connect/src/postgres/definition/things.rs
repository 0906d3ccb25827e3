//! What lies in a database beside its tables: types, functions, schemas, extensions, counters of nobody, large objects.
//! Listed before and after a move, so that what the move made can be taken back; and taken back, as far as nothing else
//! in the database rests on it.
//!
//! Whether something is in use is what PostgreSQL knows: it does not look into the bodies of functions.

use std::collections::BTreeSet;

use super::super::catalog::query;
use super::super::connection::Loan;
use super::super::sql;
use crate::{Result, Thing};

/// Everything but what belongs to an extension, to a table, or to another thing of this list, and goes with it. Kind and
/// name are those of `pg_identify_object`, whose names are in full and quoted.
const THINGS: &str = "SELECT i.type, i.identity FROM ( \
        SELECT 'pg_type'::regclass::oid AS c, t.oid AS o FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid \
            WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r') AND (t.typrelid = 0 OR r.relkind = 'c') \
            AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) \
        UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc \
        UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'dunlin' \
        UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension \
        UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation \
        UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion \
        UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator \
        UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily \
        UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast \
        UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config \
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict \
        UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relkind = 'S' AND relpersistence <> 't' \
    ) x, LATERAL pg_identify_object(x.c, x.o, 0) i \
    WHERE x.o >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = x.c AND d.objid = x.o \
        AND d.deptype IN ('a', 'e', 'i')) \
    ORDER BY 1, 2";

/// The things of a database.
pub(super) async fn list(session: &Loan) -> Result<Vec<Thing>> {
    let rows = query(session, THINGS, &[]).await?;
    Ok(rows.iter().map(|row| Thing { kind: row.get(0), name: row.get(1) }).collect())
}

/// Drops what nothing rests on; gives what stays.
pub(super) async fn drop(session: &Loan, things: &[Thing]) -> Result<Vec<Thing>> {
    loop {
        let there: BTreeSet<Thing> = list(session).await?.into_iter().collect();
        let left: Vec<Thing> = things.iter().filter(|t| there.contains(t)).cloned().collect();
        let mut gone = false;
        for thing in &left {
            let kind = match thing.kind.as_str() {
                "function" | "procedure" | "aggregate" => "routine",
                other => other,
            };
            // Kind and name come from the catalog itself. What is in use, or somebody else's by now, is refused.
            gone |= session.batch_execute(&format!("DROP {kind} {}", thing.name)).await.is_ok();
        }
        // One may have rested on another.
        if !gone {
            return Ok(left);
        }
    }
}

/// Which of these large objects there are.
pub(super) async fn objects_there(session: &Loan, objects: &[u32]) -> Result<Vec<u32>> {
    const SQL: &str = "SELECT oid FROM pg_largeobject_metadata WHERE oid = ANY($1) ORDER BY 1";
    Ok(query(session, SQL, &[&objects]).await?.iter().map(|row| row.get(0)).collect())
}

/// Drops large objects that no column of any table points to; gives those that stay.
pub(super) async fn drop_objects(session: &Loan, objects: &[u32]) -> Result<Vec<u32>> {
    const COLUMNS: &str = "WITH RECURSIVE pointing AS (SELECT 'oid'::regtype::oid AS t \
            UNION SELECT d.oid FROM pg_type d JOIN pointing p ON d.typbasetype = p.t WHERE d.typtype = 'd') \
        SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
            JOIN pg_namespace n ON n.oid = c.relnamespace \
            WHERE a.atttypid IN (SELECT t FROM pointing) AND a.attnum > 0 AND NOT a.attisdropped \
            AND c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')";
    let mut left: BTreeSet<u32> = objects_there(session, objects).await?.into_iter().collect();
    let mut used = BTreeSet::new();
    for row in query(session, COLUMNS, &[]).await? {
        let table = crate::TableName { schema: Some(row.get(0)), name: row.get(1) };
        let column = sql::ident(row.get::<_, &str>(2));
        let which =
            format!("SELECT DISTINCT {column}::oid FROM {} WHERE {column} = ANY($1)", sql::table(&table));
        let wanted: Vec<u32> = left.iter().copied().collect();
        used.extend(query(session, &which, &[&wanted]).await?.iter().map(|row| row.get::<_, u32>(0)));
    }
    for object in left.clone().difference(&used) {
        if session.query_one("SELECT lo_unlink($1)", &[object]).await.is_ok() {
            left.remove(object);
        }
    }
    Ok(left.into_iter().collect())
}
