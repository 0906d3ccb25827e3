//! Declared types and column types. SQLite enforces neither; a declared type decides how dunlin reads a column, and its
//! affinity decides what SQLite does to a value on its way in.

use crate::ColumnType;

/// What SQLite does to values of a column on their way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// The affinity of a declared type, by SQLite's own five rules in their order.
pub(super) fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || declared.trim().is_empty() {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// How a column of this declared type is read.
pub(super) fn column_type(declared: &str) -> ColumnType {
    let upper = declared.trim().to_ascii_uppercase();
    let (base, arguments) = match upper.split_once('(') {
        Some((base, rest)) => (base.trim(), rest.split(')').next().unwrap_or_default()),
        None => (upper.as_str(), ""),
    };
    let numbers: Vec<u32> = arguments.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let first = base.split_whitespace().next().unwrap_or_default();
    match first {
        "NUMERIC" | "DECIMAL" | "DEC" | "NUMBER" | "DECTEXT" => decimal(&numbers),
        "NUMTEXT" => ColumnType::Numeric,
        "REAL" | "DOUBLE" | "FLOAT" => ColumnType::Float64,
        "DATE" => ColumnType::Date,
        "TIME" if !upper.contains("WITH TIME ZONE") => ColumnType::Time,
        "TIMESTAMPTZ" => ColumnType::TimestampTz,
        "DATETIME" | "TIMESTAMP" if upper.contains("WITH TIME ZONE") => ColumnType::TimestampTz,
        "DATETIME" | "TIMESTAMP" => ColumnType::Timestamp,
        "UUID" | "UUIDTEXT" => ColumnType::Uuid,
        "BLOB" | "BINARY" | "VARBINARY" | "BYTEA" => ColumnType::Binary,
        _ if first.starts_with("BOOL") => ColumnType::Bool,
        _ if first.starts_with("JSON") => ColumnType::Json,
        _ if base.split_whitespace().any(is_integer) => ColumnType::Int64,
        _ if base.contains("CHAR") => ColumnType::Text { max: numbers.first().copied() },
        _ => ColumnType::TEXT,
    }
}

/// Whole words only: `POINT` has INTEGER affinity by an accident of SQLite's rules and is no integer.
fn is_integer(word: &str) -> bool {
    matches!(
        word,
        "INT" | "INTEGER" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BIGINT" | "INT2" | "INT4" | "INT8"
    )
}

fn decimal(numbers: &[u32]) -> ColumnType {
    let scale = numbers.get(1).copied().unwrap_or(0);
    match numbers.first() {
        Some(precision @ 1..=38) if scale <= *precision => {
            ColumnType::Decimal { precision: *precision as u8, scale: scale as i8 }
        }
        _ => ColumnType::Numeric,
    }
}

/// The most digits a double keeps, and so the most that a decimal may have in a column of NUMERIC affinity.
const DOUBLE_DIGITS: u8 = 15;

/// The declared type for a column that dunlin creates: it reads back as [`nearest_type`], and its affinity leaves
/// every value as it is. Names ending in `TEXT` are dunlin's own; they have TEXT affinity.
pub(super) fn declared(ty: &ColumnType) -> String {
    match nearest_type(ty) {
        ColumnType::Bool => "BOOLEAN".into(),
        ColumnType::Decimal { precision, scale } if precision <= DOUBLE_DIGITS => {
            format!("DECIMAL({precision},{scale})")
        }
        ColumnType::Decimal { precision, scale } => format!("DECTEXT({precision},{scale})"),
        ColumnType::Numeric => "NUMTEXT".into(),
        ColumnType::Float64 => "REAL".into(),
        ColumnType::Text { max: Some(max) } => format!("VARCHAR({max})"),
        ColumnType::Binary => "BLOB".into(),
        ColumnType::Date => "DATE".into(),
        ColumnType::Time => "TIME".into(),
        ColumnType::Timestamp => "TIMESTAMP".into(),
        ColumnType::TimestampTz => "TIMESTAMPTZ".into(),
        ColumnType::Uuid => "UUIDTEXT".into(),
        ColumnType::Json => "JSONTEXT".into(),
        ColumnType::Int64 => "INTEGER".into(),
        _ => "TEXT".into(),
    }
}

/// What SQLite holds for a column of this type.
pub(super) fn nearest_type(ty: &ColumnType) -> ColumnType {
    match ty {
        ColumnType::Int16 | ColumnType::Int32 => ColumnType::Int64,
        ColumnType::Float32 => ColumnType::Float64,
        ColumnType::Char { len } => ColumnType::Text { max: Some(*len) },
        ColumnType::Jsonb => ColumnType::Json,
        ColumnType::Opaque { .. } => ColumnType::TEXT,
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_read_by_name() {
        let all: String = [
            "INTEGER",
            "int",
            "UNSIGNED BIG INT",
            "POINT",
            "DOUBLE PRECISION",
            "numeric(10, 2)",
            "DECIMAL(5)",
            "DECIMAL",
            "DECIMAL(50,2)",
            "boolean",
            "DATE",
            "datetime",
            "TIMESTAMP WITH TIME ZONE",
            "timestamptz",
            "TIME",
            "UUID",
            "JSONB",
            "BLOB",
            "CHAR(3)",
            "NVARCHAR(40)",
            "varchar",
            "CLOB",
            "STRING",
            "",
        ]
        .iter()
        .map(|d| format!("{d:?} {} {:?}\n", column_type(d), affinity(d)))
        .collect();
        insta::assert_snapshot!(all, @r#"
        "INTEGER" int64 Integer
        "int" int64 Integer
        "UNSIGNED BIG INT" int64 Integer
        "POINT" text Integer
        "DOUBLE PRECISION" float64 Real
        "numeric(10, 2)" decimal(10,2) Numeric
        "DECIMAL(5)" decimal(5,0) Numeric
        "DECIMAL" numeric Numeric
        "DECIMAL(50,2)" numeric Numeric
        "boolean" boolean Numeric
        "DATE" date Numeric
        "datetime" timestamp Numeric
        "TIMESTAMP WITH TIME ZONE" timestamptz Numeric
        "timestamptz" timestamptz Numeric
        "TIME" time Numeric
        "UUID" uuid Numeric
        "JSONB" json Numeric
        "BLOB" binary Blob
        "CHAR(3)" text(3) Text
        "NVARCHAR(40)" text(40) Text
        "varchar" text Text
        "CLOB" text Text
        "STRING" text Numeric
        "" text Blob
        "#);
    }

    #[test]
    fn what_is_created_reads_back() {
        for ty in [
            ColumnType::Bool,
            ColumnType::Int16,
            ColumnType::Int64,
            ColumnType::Decimal { precision: 15, scale: 2 },
            ColumnType::Decimal { precision: 38, scale: 10 },
            ColumnType::Numeric,
            ColumnType::Float32,
            ColumnType::TEXT,
            ColumnType::Text { max: Some(9) },
            ColumnType::Char { len: 3 },
            ColumnType::Binary,
            ColumnType::Date,
            ColumnType::Time,
            ColumnType::Timestamp,
            ColumnType::TimestampTz,
            ColumnType::Uuid,
            ColumnType::Json,
            ColumnType::Jsonb,
            ColumnType::Opaque { name: "int4range".into() },
        ] {
            assert_eq!(column_type(&declared(&ty)), nearest_type(&ty), "{ty}");
        }
    }
}
