use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::array_value_to_string;
use insta::assert_snapshot;

use super::*;

/// 2026-11-22 12:00:00 UTC.
const RUN_AT_US: i64 = 1_795_348_800_000_000;

fn schema() -> SchemaRef {
    let field = |name: &str, ty: DataType| Field::new(name, ty, true);
    Arc::new(Schema::new(vec![
        field("customer_id", DataType::Int64),
        field("first_name", DataType::Utf8),
        field("last_name", DataType::Utf8),
        field("email", DataType::Utf8),
        field("born_on", DataType::Date32),
        field("closed_at", DataType::Timestamp(TimeUnit::Microsecond, None)),
        field("Status", DataType::Utf8),
        field("amount", DataType::Decimal128(12, 2)),
        field("Name", DataType::Utf8),
        field("name", DataType::Utf8),
    ]))
}

fn batch() -> RecordBatch {
    let text = |v: Vec<Option<&str>>| Arc::new(StringArray::from(v)) as ArrayRef;
    let nulls = |ty: DataType| arrow::array::new_null_array(&ty, 4);
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(Int64Array::from(vec![1, 2, i64::MAX, 0])),
            text(vec![Some(" Ana "), Some("Bo"), None, Some("Cy")]),
            text(vec![Some("Ruiz"), Some("Li"), Some("Oh"), Some("")]),
            text(vec![Some(" ANA@Example.com "), Some("12"), None, Some("x7")]),
            // 1990-01-01, 2008-11-22 (18 on the day), 2010-01-01, NULL
            Arc::new(Date32Array::from(vec![Some(7305), Some(14205), Some(14610), None])),
            nulls(DataType::Timestamp(TimeUnit::Microsecond, None)),
            text(vec![Some("live"), Some("test"), None, Some("live")]),
            nulls(DataType::Decimal128(12, 2)),
            nulls(DataType::Utf8),
            nulls(DataType::Utf8),
        ],
    )
    .unwrap()
}

fn compiler() -> Compiler {
    Compiler::new(schema(), RUN_AT_US)
}

fn shown(sql: &str) -> String {
    let compiled = match compiler().compile(sql) {
        Ok(compiled) => compiled,
        Err(error) => return format!("error: {}", error.message),
    };
    let result = evaluate_rows(&compiled, &batch());
    let value = |row| match result.array.is_null(row) {
        true => "NULL".to_owned(),
        false => array_value_to_string(&result.array, row).unwrap(),
    };
    let values: Vec<String> = (0..result.array.len()).map(value).collect();
    format!("{} {:?} [{}] failed {:?}", compiled.data_type, compiled.columns, values.join("|"), result.failed)
}

fn refused(sql: &str) -> String {
    let error = compiler().compile(sql).expect_err("refused");
    let at = error.position.map_or("-".to_owned(), |p| p.to_string());
    format!("{} / {} / at {at}", error.message, error.help.as_deref().unwrap_or("-"))
}

#[test]
fn the_expressions_of_the_example_plan() {
    assert_snapshot!(shown("lower(trim(email))"), @"Utf8 [3] [ana@example.com|12|NULL|x7] failed []");
    assert_snapshot!(shown("trim(first_name) || ' ' || trim(last_name)"), @"Utf8 [1, 2] [Ana Ruiz|Bo Li|NULL|Cy ] failed []");
    assert_snapshot!(shown("born_on <= current_date - interval '18 years'"), @"Boolean [4] [true|true|false|NULL] failed []");
    assert_snapshot!(shown("status <> 'test'"), @"Boolean [6] [true|false|NULL|true] failed []");
    assert_snapshot!(shown("closed_at + interval '6 years'"), @"Timestamp(µs) [5] [NULL|NULL|NULL|NULL] failed []");
}

#[test]
fn everyday_functions_work() {
    assert_snapshot!(shown("coalesce(first_name, 'nobody')"), @"Utf8 [1] [ Ana |Bo|nobody|Cy] failed []");
    assert_snapshot!(shown("case when customer_id > 1 then 'many' else 'one' end"), @"Utf8 [0] [one|many|many|one] failed []");
    assert_snapshot!(shown("LENGTH(last_name)"), @"Int32 [2] [4|2|2|0] failed []");
    assert_snapshot!(shown("upper(substr(last_name, 1, 2))"), @"Utf8 [2] [RU|LI|OH|] failed []");
    assert_snapshot!(shown("regexp_replace(email, '[^0-9]', '', 'g')"), @"Utf8 [3] [|12|NULL|7] failed []");
    assert_snapshot!(shown("extract(year from born_on)"), @"Int32 [4] [1990|2008|2010|NULL] failed []");
    assert_snapshot!(shown("nullif(last_name, '')"), @"Utf8 [2] [Ruiz|Li|Oh|NULL] failed []");
    assert_snapshot!(shown("customer_id in (1, 2)"), @"Boolean [0] [true|true|false|false] failed []");
    assert_snapshot!(shown("null"), @"Utf8 [] [NULL|NULL|NULL|NULL] failed []");
    assert_snapshot!(shown("amount * 1.1"), @"Decimal128(15, 3) [7] [NULL|NULL|NULL|NULL] failed []");
}

#[test]
fn the_clock_stands_still() {
    assert_snapshot!(shown("now()"), @r#"Timestamp(µs, "UTC") [] [2026-11-22T12:00:00Z|2026-11-22T12:00:00Z|2026-11-22T12:00:00Z|2026-11-22T12:00:00Z] failed []"#);
    assert_snapshot!(shown("closed_at < now()"), @"Boolean [5] [NULL|NULL|NULL|NULL] failed []");
    assert_snapshot!(shown("born_on < now()"), @"Boolean [4] [true|true|true|NULL] failed []");
    assert_snapshot!(shown("born_on + interval '1 day'"), @"Date32 [4] [1990-01-02|2008-11-23|2010-01-02|NULL] failed []");
    assert_snapshot!(shown("'1990-02-01T10:00:00'::timestamp"), @"Timestamp(µs) [] [1990-02-01T10:00:00|1990-02-01T10:00:00|1990-02-01T10:00:00|1990-02-01T10:00:00] failed []");
    assert_snapshot!(shown("to_timestamp('1990-02-01T10:00:00')"), @r#"Timestamp(µs, "UTC") [] [1990-02-01T10:00:00Z|1990-02-01T10:00:00Z|1990-02-01T10:00:00Z|1990-02-01T10:00:00Z] failed []"#);
    assert_snapshot!(shown("date_trunc('month', closed_at)"), @"Timestamp(µs) [5] [NULL|NULL|NULL|NULL] failed []");
    assert_snapshot!(shown("current_date"), @"Date32 [] [2026-11-22|2026-11-22|2026-11-22|2026-11-22] failed []");
}

#[test]
fn a_failing_row_does_not_cost_the_batch() {
    assert_snapshot!(shown("cast(email as int)"), @"Int32 [3] [NULL|12|NULL|NULL] failed [0, 3]");
    assert_snapshot!(shown("10 / customer_id"), @"Int64 [0] [10|5|0|NULL] failed [3]");
    assert_snapshot!(shown("1 / 0"), @"Int64 [] [NULL|NULL|NULL|NULL] failed [0, 1, 2, 3]");
    assert_snapshot!(shown("customer_id + 1"), @"Int64 [0] [2|3|NULL|1] failed [2]");
    assert_snapshot!(shown("try_cast(email as int)"), @"Int32 [3] [NULL|12|NULL|NULL] failed []");
}

#[test]
fn a_rule_that_gives_null_passes() {
    let compiled = compiler().compile_condition("born_on <= current_date - interval '18 years'").unwrap();
    assert_eq!(failing_rows(&evaluate_rows(&compiled, &batch())), vec![2]);
    let compiled = compiler().compile_condition("cast(email as int) > 20").unwrap();
    assert_eq!(failing_rows(&evaluate_rows(&compiled, &batch())), vec![0, 1, 3]);
}

#[test]
fn a_condition_must_be_true_or_false() {
    assert_snapshot!(compiler().compile_condition("customer_id").unwrap_err(), @"this gives Int64, not true or false");
}

#[test]
fn mistakes_are_named_and_placed() {
    assert_snapshot!(refused("lower(trim(emial))"), @"there is no column `emial` here / did you mean `email`? / at 11");
    assert_snapshot!(refused("customer_id +"), @"Expected: an expression, found: EOF / - / at -");
    assert_snapshot!(refused("lowre(email)"), @"there is no function `lowre` / did you mean `lower`? / at 0");
    assert_snapshot!(refused("NAME"), @r#"`NAME` does not say which column is meant / write `"Name"` or `"name"` / at 0"#);
    assert_snapshot!(refused("\"STATUS\""), @"there is no column `STATUS` here / did you mean `Status`? / at 0");
    assert_snapshot!(refused("zzz"), @"there is no column `zzz` here / the columns are `customer_id`, `first_name`, `last_name`, `email`, `born_on`, `closed_at`, `Status`, `amount`, `Name`, `name` / at 0");
    assert_snapshot!(refused("crm.email"), @"`crm.email` names more than a column / write `email` without its table / at 0");
    assert_snapshot!(refused("email as e"), @"`as e` has no place in an expression / the column's name stands on the left of the `=` / at -");
    assert_snapshot!(refused("email email2 foo"), @"Expected: end of expression, found: email2 / - / at 6");
    assert_snapshot!(refused("'é' || nope_no_such"), @"there is no column `nope_no_such` here / the columns are `customer_id`, `first_name`, `last_name`, `email`, `born_on`, `closed_at`, `Status`, `amount`, `Name`, `name` / at 8");
    assert_snapshot!(refused(""), @"the expression is empty / - / at -");
    assert_snapshot!(refused("first_name + customer_id * born_on"), @"Cannot get result type for temporal operation Int64 * Date32: Invalid argument error: Invalid arithmetic operation: Interval(MonthDayNano) * Date32 / bring both sides to one type, for instance with `column::date` or `column::bigint` / at -");
}

#[test]
fn what_is_not_an_expression_over_one_row_is_refused() {
    assert_snapshot!(refused("(select 1)"), @"a query inside an expression is not allowed; an expression sees one row only / bring the other table's columns in with [[table.enrich]] / at -");
    assert_snapshot!(refused("customer_id in (select 1)"), @"a query inside an expression is not allowed; an expression sees one row only / bring the other table's columns in with [[table.enrich]] / at -");
    assert_snapshot!(refused("exists (select 1)"), @"a query inside an expression is not allowed; an expression sees one row only / bring the other table's columns in with [[table.enrich]] / at -");
    assert_snapshot!(refused("sum(customer_id)"), @"`sum` looks at many rows; an expression sees one row only / - / at 0");
    assert_snapshot!(refused("row_number() over ()"), @"`row_number` is used as a window function; an expression sees one row only / - / at 0");
    assert_snapshot!(refused("random()"), @"this gives another value each time, so `verify` could never agree with `run` / - / at -");
    assert_snapshot!(refused("uuid()"), @"this gives another value each time, so `verify` could never agree with `run` / - / at -");
    assert_snapshot!(refused("$1"), @"a placeholder has no value here / - / at -");
    assert_snapshot!(refused("interval '1 day'"), @"this gives a value of type Interval(MonthDayNano), which no column can hold / cast it, for instance to text or to a number / at -");
}

#[test]
fn named_columns_survive_simplification() {
    let compiler = compiler();
    assert_eq!(compiler.named_columns("customer_id * 0 + length(email)").unwrap(), vec![0, 3]);
    assert!(compiler.compile("false and customer_id = 1").unwrap().columns.is_empty());
}
