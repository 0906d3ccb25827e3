//! The audience of a notice: one query, in the plan's words (`store.table`), that reads and does nothing else.
//!
//! The query is parsed; what it may contain is listed, not what it may not. It is written again from its parts, with the
//! tables as the store calls them. Not here: who may see what it gives, which the gate decides.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use dunlin_connect::{Store, TableName, TextRows};
use dunlin_gate::{Batch, ColumnInfo, Sealed, SealedStream, SourceFailed};
use futures::StreamExt;
use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, Statement, TableFactor,
    Visit, VisitMut, Visitor, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::error::SendError;

/// Why the SQL of an audience will not do.
#[derive(Debug, thiserror::Error)]
pub enum BadAudience {
    /// The notice has none.
    #[error("the notice says nothing about whom it is for")]
    None,
    /// It is no SQL.
    #[error("the audience cannot be read as SQL (line {line}, column {column})")]
    Syntax {
        /// Line in the query.
        line: u64,
        /// Column in that line.
        column: u64,
    },
    /// It does more than read.
    #[error("the audience must be one `select`; {0} has no place in it")]
    NotSelect(&'static str),
    /// A function that is not known to be harmless.
    #[error("the audience calls `{0}`, which is not among the functions that it may use")]
    Function(String),
    /// A table without a store, or of another one.
    #[error("the audience names the table `{0}`")]
    Table(String),
    /// Its columns are not the ones that are needed.
    #[error("the audience gives {0}")]
    Columns(String),
}

impl BadAudience {
    /// How to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            BadAudience::None => {
                "add `audience = \"select email, locale from atlas.people\"` to the notice's head"
            }
            BadAudience::Syntax { .. } => "write it as PostgreSQL would read it",
            BadAudience::NotSelect(_) => {
                "for example: select email, locale from atlas.people where wants_mail"
            }
            BadAudience::Function(_) => {
                "lower, upper, trim, replace, substr, split_part, concat, coalesce, nullif, length, cast, date and now may stand in it"
            }
            BadAudience::Table(_) => {
                "write `store.table` as in the plan; all tables of one audience are in one store"
            }
            BadAudience::Columns(_) => {
                "give `email`, and `locale`, `name` and `key` if there are any, by these names and no others"
            }
        }
    }
}

/// A column that an audience gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The address.
    Email,
    /// The language.
    Locale,
    /// The name.
    Name,
    /// What the row is known by, for whoever mends it.
    Key,
}

impl Field {
    fn of(name: &str) -> Option<Field> {
        match name.to_ascii_lowercase().as_str() {
            "email" => Some(Field::Email),
            "locale" => Some(Field::Locale),
            "name" => Some(Field::Name),
            "key" => Some(Field::Key),
            _ => None,
        }
    }

    pub(super) fn info(self) -> ColumnInfo {
        let (name, kind) = match self {
            Field::Email => ("email", Some("email")),
            Field::Locale => ("locale", Some("none")),
            Field::Name => ("name", Some("person_name")),
            // Nobody has said what it holds.
            Field::Key => ("key", None),
        };
        ColumnInfo { name: name.to_owned(), kind: kind.map(str::to_owned) }
    }
}

/// Functions that read nothing but their arguments. Everything else is refused: some open files and connections.
const FUNCTIONS: &[&str] = &[
    "lower",
    "upper",
    "trim",
    "ltrim",
    "rtrim",
    "btrim",
    "replace",
    "substr",
    "substring",
    "left",
    "right",
    "split_part",
    "concat",
    "concat_ws",
    "coalesce",
    "nullif",
    "length",
    "char_length",
    "strpos",
    "position",
    "abs",
    "round",
    "floor",
    "ceil",
    "greatest",
    "least",
    "date",
    "date_trunc",
    "date_part",
    "extract",
    "age",
    "now",
    "to_char",
    "strftime",
    "count",
    "min",
    "max",
    "row_number",
    "exists",
    "iif",
    "ifnull",
    "instr",
];

/// An audience that has been looked at.
#[derive(Clone, Debug)]
pub struct Audience {
    query: Query,
    store: String,
    tables: BTreeSet<Vec<String>>,
    fields: Vec<Field>,
}

impl Audience {
    /// Reads the SQL of a notice.
    ///
    /// # Errors
    /// What is wrong with it, without the text, which may name people.
    pub fn parse(sql: Option<&str>) -> Result<Audience, BadAudience> {
        let sql = sql.map(str::trim).filter(|sql| !sql.is_empty()).ok_or(BadAudience::None)?;
        let mut statements = Parser::new(&PostgreSqlDialect {})
            .try_with_sql(sql)
            .and_then(|mut parser| parser.parse_statements())
            .map_err(|error| syntax(&error.to_string()))?;
        let query = match (statements.pop(), statements.is_empty()) {
            (Some(Statement::Query(query)), true) => *query,
            (Some(_), true) => return Err(BadAudience::NotSelect("another statement")),
            _ => return Err(BadAudience::NotSelect("a second statement")),
        };
        let mut looker = Looker::default();
        if let Some(with) = &query.with {
            looker.with.extend(with.cte_tables.iter().map(|cte| cte.alias.name.value.to_lowercase()));
        }
        if let ControlFlow::Break(bad) = Visit::visit(&query, &mut looker) {
            return Err(bad);
        }
        let store = looker.store.ok_or(BadAudience::NotSelect("a query without a table"))?;
        let fields = fields(&query.body)?;
        Ok(Audience { query, store, tables: looker.tables, fields })
    }

    /// The store of all its tables.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Its tables as the plan calls them, for the ledger: `people`, `people+consents`.
    pub fn label(&self) -> String {
        self.tables.iter().map(|parts| parts.join(".")).collect::<Vec<_>>().join("+")
    }

    /// Its tables with their store, as the plan calls them: `atlas.people`.
    pub fn tables(&self) -> impl Iterator<Item = String> + '_ {
        self.tables.iter().map(|parts| format!("{}.{}", self.store, parts.join(".")))
    }

    /// The columns that it gives, in their order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Its rows, under seal.
    ///
    /// # Errors
    /// A table that is not there, or the store.
    pub async fn rows(&self, store: &dyn Store) -> Result<SealedStream, SendError> {
        let rows = self.bare(store).await?;
        let batches = rows.map(|batch| match batch {
            Ok(rows) => Ok(Sealed::seal(Batch { rows, names: Vec::new() })),
            // The store's own error is safe to show, but the gate's streams carry none.
            Err(_) => Err(SourceFailed),
        });
        Ok(SealedStream {
            store: self.store.clone(),
            table: self.label(),
            columns: self.fields.iter().map(|field| field.info()).collect(),
            batches: Box::pin(batches),
        })
    }

    /// Its rows as they are: for what seals them before they leave this module's neighbours.
    pub(super) async fn bare(&self, store: &dyn Store) -> Result<TextRows, SendError> {
        let mut query = self.query.clone();
        let mut names = BTreeMap::new();
        for parts in &self.tables {
            let name = table_name(parts);
            let table = store.table(&name).await?.ok_or_else(|| BadAudience::Table(parts.join(".")))?;
            let parts_there = table.name.schema.into_iter().chain([table.name.name]);
            names.insert(parts.clone(), parts_there.collect::<Vec<String>>());
        }
        let mut writer = Writer { store: &self.store, names: &names };
        let _ = VisitMut::visit(&mut query, &mut writer);
        let mut columns = Vec::new();
        for at in 1..=self.fields.len() {
            columns.push(format!("cast(q.c{at} as text)"));
        }
        let renamed: Vec<String> = (1..=self.fields.len()).map(|at| format!("c{at}")).collect();
        let sql =
            format!("with q ({}) as ({query}) select {} from q", renamed.join(", "), columns.join(", "));
        Ok(store.select(sql, self.fields.len()).await?)
    }
}

/// The place in sqlparser's message; its text quotes the query.
fn syntax(message: &str) -> BadAudience {
    let number = |after: &str| {
        let rest = message.rsplit_once(after)?.1;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    BadAudience::Syntax { line: number("Line: ").unwrap_or(1), column: number("Column: ").unwrap_or(1) }
}

/// What a query's first `select` calls its columns.
fn fields(body: &SetExpr) -> Result<Vec<Field>, BadAudience> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return fields(&query.body),
        SetExpr::SetOperation { left, .. } => return fields(left),
        _ => return Err(BadAudience::NotSelect("a list of values")),
    };
    let mut found = Vec::new();
    for item in &select.projection {
        let name = match item {
            SelectItem::ExprWithAlias { alias, .. } => &alias.value,
            SelectItem::UnnamedExpr(Expr::Identifier(ident)) => &ident.value,
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(idents)) => match idents.last() {
                Some(ident) => &ident.value,
                None => return Err(BadAudience::Columns("a column without a name".to_owned())),
            },
            SelectItem::UnnamedExpr(_) => {
                return Err(BadAudience::Columns("a column without a name".to_owned()));
            }
            _ => return Err(BadAudience::Columns("all columns, `*`".to_owned())),
        };
        let field = Field::of(name).ok_or_else(|| BadAudience::Columns(format!("the column `{name}`")))?;
        if found.contains(&field) {
            return Err(BadAudience::Columns(format!("the column `{name}` twice")));
        }
        found.push(field);
    }
    if !found.contains(&Field::Email) {
        return Err(BadAudience::Columns("no column `email`".to_owned()));
    }
    Ok(found)
}

fn parts(name: &ObjectName) -> Option<Vec<Ident>> {
    let ident = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(ident) => Some(ident.clone()),
        _ => None,
    };
    name.0.iter().map(ident).collect()
}

/// A table of the query as the store is asked for it; as in the plan, upper and lower case count.
fn table_name(parts: &[String]) -> TableName {
    match parts {
        [schema, table] => TableName { schema: Some(schema.clone()), name: table.clone() },
        other => TableName::bare(other.last().cloned().unwrap_or_default()),
    }
}

fn plain(ident: &Ident) -> String {
    ident.value.clone()
}

/// Looks at everything in a query.
#[derive(Default)]
struct Looker {
    with: BTreeSet<String>,
    store: Option<String>,
    /// Names without the store.
    tables: BTreeSet<Vec<String>>,
}

impl Visitor for Looker {
    type Break = BadAudience;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<BadAudience> {
        if !query.locks.is_empty() {
            return ControlFlow::Break(BadAudience::NotSelect("a lock"));
        }
        if let Some(with) = &query.with {
            self.with.extend(with.cte_tables.iter().map(|cte| cte.alias.name.value.to_lowercase()));
        }
        match &*query.body {
            SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. } | SetExpr::Values(_) => {
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(BadAudience::NotSelect("another statement")),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<BadAudience> {
        match &select.into {
            Some(_) => ControlFlow::Break(BadAudience::NotSelect("`into`")),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<BadAudience> {
        ControlFlow::Break(BadAudience::NotSelect("another statement"))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<BadAudience> {
        match factor {
            TableFactor::Table { name, args: None, .. } => self.table(name),
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => ControlFlow::Continue(()),
            _ => ControlFlow::Break(BadAudience::NotSelect("a function in place of a table")),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<BadAudience> {
        if let Expr::Function(function) = expr {
            let name = function.name.to_string().to_lowercase();
            if !FUNCTIONS.contains(&name.as_str()) {
                return ControlFlow::Break(BadAudience::Function(name));
            }
        }
        ControlFlow::Continue(())
    }
}

impl Looker {
    fn table(&mut self, name: &ObjectName) -> ControlFlow<BadAudience> {
        let bad = || ControlFlow::Break(BadAudience::Table(name.to_string()));
        let Some(idents) = parts(name) else { return bad() };
        match idents.as_slice() {
            [one] if self.with.contains(&one.value.to_lowercase()) => ControlFlow::Continue(()),
            [store, rest @ ..] if (1..=2).contains(&rest.len()) => {
                if self.store.as_ref().is_some_and(|known| *known != store.value) {
                    return bad();
                }
                self.store = Some(store.value.clone());
                self.tables.insert(rest.iter().map(plain).collect());
                ControlFlow::Continue(())
            }
            _ => bad(),
        }
    }
}

/// Writes tables as the store calls them.
struct Writer<'a> {
    store: &'a str,
    names: &'a BTreeMap<Vec<String>, Vec<String>>,
}

impl VisitorMut for Writer<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        let Some(idents) = parts(relation) else { return ControlFlow::Continue(()) };
        if let [store, rest @ ..] = idents.as_slice()
            && store.value == self.store
            && let Some(name) = self.names.get(&rest.iter().map(plain).collect::<Vec<_>>())
        {
            relation.0 =
                name.iter().map(|part| ObjectNamePart::Identifier(Ident::with_quote('"', part))).collect();
        }
        ControlFlow::Continue(())
    }

    /// `atlas.people.email` becomes `people.email`: a table is known in a query by its own name.
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(idents) = expr
            && idents.len() >= 3
            && idents[0].value == self.store
        {
            let keep = idents.split_off(idents.len() - 2);
            let [table, column] =
                <[Ident; 2]>::try_from(keep).unwrap_or_else(|_| [Ident::new(""), Ident::new("")]);
            *idents = vec![Ident::with_quote('"', table.value), column];
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(sql: &str) -> String {
        Audience::parse(Some(sql)).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn an_audience_is_one_select_from_one_store() {
        let audience = Audience::parse(Some(
            "with may as (select person_id from atlas.consents where given) \
             select lower(p.email) as email, locale, full_name as name \
             from atlas.people p join may on may.person_id = p.person_id;",
        ))
        .unwrap();
        assert_eq!(audience.store(), "atlas");
        assert_eq!(audience.label(), "consents+people");
        assert_eq!(audience.fields(), [Field::Email, Field::Locale, Field::Name]);
    }

    #[test]
    fn what_does_more_than_read_is_refused_and_the_text_is_not_repeated() {
        for sql in [
            "delete from atlas.people",
            "select email from atlas.people; drop table people",
            "with x as (delete from atlas.people returning email) select email from x",
            "select email into stolen from atlas.people",
            "select email from atlas.people for update",
            "select email from generate_series(1, 9) email",
            "values ('ana@example.com')",
        ] {
            let said = bad(sql);
            assert!(
                said.contains("must be one `select`") || said.contains("names the table"),
                "{sql}: {said}"
            );
        }
        assert!(
            bad("select pg_read_file('/etc/passwd') as email from atlas.people").contains("pg_read_file")
        );
        assert!(
            bad("select email from atlas.people where email = 'canary@example.com' ann and")
                .contains("line 1")
        );
        assert!(!bad("select email from atlas.people where 'canary").contains("canary"));
    }

    #[test]
    fn columns_and_tables_are_the_ones_that_can_be_understood() {
        assert_eq!(bad("select * from atlas.people"), "the audience gives all columns, `*`");
        assert_eq!(bad("select locale from atlas.people"), "the audience gives no column `email`");
        assert_eq!(bad("select email, phone from atlas.people"), "the audience gives the column `phone`");
        assert_eq!(bad("select email from people"), "the audience names the table `people`");
        assert!(bad("select a.email from atlas.people a, crm.customers c").contains("crm.customers"));
        assert!(matches!(Audience::parse(None), Err(BadAudience::None)));
    }
}
