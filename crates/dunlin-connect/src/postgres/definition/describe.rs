//! What the catalog says about tables: which relations belong to a move, and everything about each as one text a
//! thing, so that two databases can be held against each other. Texts are PostgreSQL's own, under a search path of
//! `pg_catalog` alone, so that every name in them is in full.

use tokio_postgres::types::Oid;

use crate::postgres::catalog::query;
use crate::postgres::connection::Loan;
use crate::{Definition, Result, TableName};

/// The relations of a move.
pub(super) struct Set {
    /// The tables and their partitions.
    pub(super) relations: Vec<Oid>,
    /// Views over these tables alone; those that rest on others first.
    pub(super) views: Vec<TableName>,
    /// Those of them that hold rows.
    pub(super) filled_views: Vec<TableName>,
    /// Counters that belong to these tables, feed them, or stand alone.
    pub(super) counters: Vec<TableName>,
    /// Every other relation of the database.
    pub(super) excluded: Vec<TableName>,
}

/// Every user relation, and whether it is one of the move's: its tables and partitions; views that rest on no other
/// table, directly or by another view, and that nobody else makes; counters that no other table owns or needs alone.
const SET: &str = "WITH RECURSIVE mine AS ( \
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
            JOIN unnest($1::text[], $2::text[]) u(s, t) ON n.nspname = u.s AND c.relname = u.t \
            WHERE c.relkind IN ('r', 'p') \
        UNION SELECT i.inhrelid FROM mine m JOIN pg_inherits i ON i.inhparent = m.oid \
            JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition), \
    every AS ( \
        SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispopulated FROM pg_class c \
            JOIN pg_namespace n ON n.oid = c.relnamespace \
            WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't' \
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'dunlin') \
            AND n.nspname !~ '^pg_(temp|toast_temp)_' \
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid \
                AND d.deptype = 'e')), \
    uses AS ( \
        SELECT DISTINCT r.ev_class AS view, d.refobjid AS used FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid \
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass \
            AND d.refobjid <> r.ev_class), \
    others AS ( \
        SELECT e.oid FROM every e WHERE e.relkind IN ('r', 'p', 'f') AND e.oid NOT IN (SELECT oid FROM mine) \
            OR (e.nspname, e.relname) IN (SELECT s, t FROM unnest($3::text[], $4::text[]) b(s, t)) \
        UNION SELECT u.view FROM others o JOIN uses u ON u.used = o.oid \
            JOIN pg_class v ON v.oid = u.view AND v.relkind IN ('v', 'm')), \
    fed AS ( \
        SELECT d.refobjid AS sequence, a.adrelid AS tab, false AS owned FROM pg_depend d \
            JOIN pg_attrdef a ON a.oid = d.objid \
            WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass \
        UNION SELECT d.objid, d.refobjid, true FROM pg_depend d WHERE d.classid = 'pg_class'::regclass \
            AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) \
    SELECT e.oid, e.nspname, e.relname, e.relkind::text, e.relispopulated, CASE \
        WHEN e.relkind IN ('v', 'm') THEN e.oid NOT IN (SELECT oid FROM others) \
        WHEN e.relkind = 'S' THEN \
            NOT EXISTS (SELECT FROM fed f WHERE f.sequence = e.oid AND f.owned AND f.tab NOT IN (SELECT oid FROM mine)) \
            AND (NOT EXISTS (SELECT FROM fed f WHERE f.sequence = e.oid) \
                OR EXISTS (SELECT FROM fed f WHERE f.sequence = e.oid AND f.tab IN (SELECT oid FROM mine))) \
        ELSE e.oid IN (SELECT oid FROM mine) END \
    FROM every e ORDER BY e.oid DESC";

/// Schemas and names, side by side.
fn split(tables: &[TableName]) -> (Vec<&str>, Vec<&str>) {
    tables.iter().map(|t| (t.schema.as_deref().unwrap_or_default(), t.name.as_str())).unzip()
}

/// Tells the move's relations from the others; `besides` are none of it, nor is what rests on them.
pub(super) async fn set(session: &Loan, tables: &[TableName], besides: &[TableName]) -> Result<Set> {
    let (schemas, names) = split(tables);
    let (besides_schemas, besides) = split(besides);
    let mut set = Set {
        relations: Vec::new(),
        views: Vec::new(),
        filled_views: Vec::new(),
        counters: Vec::new(),
        excluded: Vec::new(),
    };
    for row in query(session, SET, &[&schemas, &names, &besides_schemas, &besides]).await? {
        let name = TableName { schema: Some(row.get(1)), name: row.get(2) };
        let kind: String = row.get(3);
        match (row.get::<_, bool>(5), kind.as_str()) {
            (false, _) => set.excluded.push(name),
            (true, "S") => set.counters.push(name),
            (true, "v") => set.views.push(name),
            (true, "m") => {
                if row.get(4) {
                    set.filled_views.push(name.clone());
                }
                set.views.push(name);
            }
            (true, _) => set.relations.push(row.get(0)),
        }
    }
    // Those that rest on others were made later.
    set.filled_views.reverse();
    Ok(set)
}

/// One row a thing: relation, what it is, its text, the other end of a foreign key.
const PARTS: [&str; 8] = [
    "SELECT c.oid, 'table', concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text, am.amname, c.relreplident, \
        c.relrowsecurity, c.relforcerowsecurity, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), \
        (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i \
            WHERE i.inhrelid = c.oid)), NULL::oid \
        FROM pg_class c LEFT JOIN pg_am am ON am.oid = c.relam WHERE c.oid = ANY($1)",
    "SELECT a.attrelid, 'column ' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, \
        a.attidentity, a.attgenerated, a.attstorage, a.attoptions::text, pg_get_expr(d.adbin, d.adrelid), \
        CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END, \
        (SELECT concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle) \
            FROM pg_depend p JOIN pg_sequence s ON s.seqrelid = p.objid WHERE p.classid = 'pg_class'::regclass \
            AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum \
            AND p.deptype IN ('a', 'i') LIMIT 1)), NULL::oid \
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
        WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT k.conrelid, 'constraint ' || k.conname, concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated), \
        nullif(k.confrelid, 0) FROM pg_constraint k WHERE k.conrelid = ANY($1) AND k.contype IN ('c', 'f', 'p', 'u', 'x') \
        AND NOT (k.contype = 'f' AND k.conparentid <> 0)",
    "SELECT i.indrelid, 'index ' || c.relname, concat_ws(' ', pg_get_indexdef(c.oid), i.indisclustered, i.indisreplident), \
        NULL::oid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY($1) AND i.indisvalid",
    "SELECT g.tgrelid, 'trigger ' || g.tgname, concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled), NULL::oid \
        FROM pg_trigger g WHERE g.tgrelid = ANY($1) AND NOT g.tgisinternal \
     UNION ALL SELECT r.ev_class, 'rule ' || r.rulename, concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled), NULL::oid \
        FROM pg_rewrite r WHERE r.ev_class = ANY($1)",
    "SELECT p.polrelid, 'policy ' || p.polname, concat_ws(' ', p.polcmd, p.polpermissive, \
        (SELECT string_agg(CASE WHEN o = 0 THEN 'public' ELSE o::regrole::text END, ', ') FROM unnest(p.polroles) o), \
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)), NULL::oid \
        FROM pg_policy p WHERE p.polrelid = ANY($1) \
     UNION ALL SELECT s.stxrelid, 'statistics ' || s.stxname, pg_get_statisticsobjdef(s.oid), NULL::oid \
        FROM pg_statistic_ext s WHERE s.stxrelid = ANY($1)",
    "SELECT d.objoid, concat_ws(' ', 'comment on', coalesce('column ' || a.attname, 'table')), d.description, NULL::oid \
        FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid \
            AND d.objsubid <> 0 WHERE d.classoid = 'pg_class'::regclass AND d.objoid = ANY($1) \
     UNION ALL SELECT i.indrelid, 'comment on index ' || c.relname, d.description, NULL::oid FROM pg_index i \
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_description d ON d.classoid = 'pg_class'::regclass \
            AND d.objoid = c.oid WHERE i.indrelid = ANY($1) \
     UNION ALL SELECT k.conrelid, 'comment on constraint ' || k.conname, d.description, NULL::oid FROM pg_constraint k \
        JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid WHERE k.conrelid = ANY($1) \
     UNION ALL SELECT g.tgrelid, 'comment on trigger ' || g.tgname, d.description, NULL::oid FROM pg_trigger g \
        JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = g.oid WHERE g.tgrelid = ANY($1)",
    // Types of somebody's own that columns are of, or that these are made of: their labels, bases and checks.
    "SELECT DISTINCT a.attrelid, 'type ' || format_type(t.oid, NULL), concat_ws(' ', t.typtype, t.typnotnull, t.typdefault, \
        CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END, \
        (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), \
        (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname) FROM pg_constraint k \
            WHERE k.contypid = t.oid AND k.contype = 'c'), \
        (SELECT string_agg(f.attname || ' ' || format_type(f.atttypid, f.atttypmod), ', ' ORDER BY f.attnum) \
            FROM pg_attribute f WHERE f.attrelid = t.typrelid AND t.typrelid <> 0 AND f.attnum > 0 \
            AND NOT f.attisdropped)), NULL::oid \
        FROM pg_attribute a JOIN pg_type c ON c.oid = a.atttypid \
        JOIN pg_type t ON t.oid = c.oid OR (c.typcategory = 'A' AND t.oid = c.typelem) \
        WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped AND t.oid >= 16384 \
        AND t.typtype IN ('e', 'd', 'c')",
];

/// Everything that is said about these relations, sorted.
pub(super) async fn parts(session: &Loan, relations: &[Oid]) -> Result<Vec<Definition>> {
    let mut parts = Vec::new();
    for part in PARTS {
        let sql = format!(
            "WITH x(o, what, body, needs) AS ({part}) SELECT n.nspname, c.relname, x.what::text, x.body::text, \
             m.nspname, p.relname FROM x JOIN pg_class c ON c.oid = x.o JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_class p ON p.oid = x.needs LEFT JOIN pg_namespace m ON m.oid = p.relnamespace"
        );
        for row in query(session, &sql, &[&relations]).await? {
            let body: String = row.get::<_, Option<_>>(3).unwrap_or_default();
            let needs = row.get::<_, Option<String>>(5).map(|name| TableName { schema: row.get(4), name });
            parts.push(Definition {
                table: TableName { schema: Some(row.get(0)), name: row.get(1) },
                what: row.get(2),
                hash: blake3::hash(body.as_bytes()).to_hex().to_string(),
                needs,
            });
        }
    }
    parts.sort();
    parts.dedup();
    Ok(parts)
}
