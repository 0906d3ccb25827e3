//! What a table is, in words every store shares. Not a SQL dialect: each store's folder turns these into its own.

use std::fmt;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

/// A table's name inside a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// The schema, where the store has schemas and the plan names one.
    pub schema: Option<String>,
    /// The table; for a store that is one file or one glob, the file's stem.
    pub name: String,
}

impl TableName {
    /// A name without a schema.
    pub fn bare(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The type of a column, as dunlin carries and hashes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// 16-bit integer.
    Int16,
    /// 32-bit integer.
    Int32,
    /// 64-bit integer.
    Int64,
    /// A decimal of at most 38 digits at a fixed scale.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: i8,
    },
    /// A decimal of any size, carried as canonical text (`NaN`, `Infinity` included).
    Numeric,
    /// IEEE single.
    Float32,
    /// IEEE double.
    Float64,
    /// Text; `max` in characters.
    Text {
        /// The most characters the column takes, if it says so.
        max: Option<u32>,
    },
    /// Blank-padded text of `len` characters, as the store returns it.
    Char {
        /// The padded length in characters.
        len: u32,
    },
    /// Bytes.
    Binary,
    /// Days since 1970-01-01; `i32::MAX` and `i32::MIN` are infinity and -infinity.
    Date,
    /// Microseconds since midnight.
    Time,
    /// Microseconds since 1970-01-01 00:00 without a zone; `i64::MAX` / `MIN` are ±infinity.
    Timestamp,
    /// Microseconds since 1970-01-01 00:00 UTC; `i64::MAX` / `MIN` are ±infinity.
    TimestampTz,
    /// A UUID as lower-case hyphenated text.
    Uuid,
    /// JSON kept as the bytes that were written.
    Json,
    /// JSON in the store's own normal form.
    Jsonb,
    /// Any other type: the store's own binary form, carried untouched, or its text form when read as text.
    Opaque {
        /// The store's name of the type, e.g. `int4range`.
        name: String,
    },
}

impl ColumnType {
    /// Whether its values are numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Int16
                | Self::Int32
                | Self::Int64
                | Self::Decimal { .. }
                | Self::Numeric
                | Self::Float32
                | Self::Float64
        )
    }

    /// Whether its values are texts of any content.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Char { .. })
    }

    /// How a column of this type travels in a batch.
    pub fn arrow_type(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Numeric | Self::Text { .. } | Self::Char { .. } | Self::Uuid | Self::Json | Self::Jsonb => {
                DataType::Utf8
            }
            Self::Binary | Self::Opaque { .. } => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// Text of any length.
    pub const TEXT: Self = Self::Text { max: None };
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("boolean"),
            Self::Int16 => f.write_str("int16"),
            Self::Int32 => f.write_str("int32"),
            Self::Int64 => f.write_str("int64"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Numeric => f.write_str("numeric"),
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Text { max: None } => f.write_str("text"),
            Self::Text { max: Some(max) } => write!(f, "text({max})"),
            Self::Char { len } => write!(f, "char({len})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampTz => f.write_str("timestamptz"),
            Self::Uuid => f.write_str("uuid"),
            Self::Json => f.write_str("json"),
            Self::Jsonb => f.write_str("jsonb"),
            Self::Opaque { name } => f.write_str(name),
        }
    }
}

/// How an identity column makes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// `GENERATED ALWAYS`.
    Always,
    /// `GENERATED BY DEFAULT`, `serial`, or SQLite's `AUTOINCREMENT`.
    ByDefault,
}

/// How a generated column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// Computed when written.
    Stored,
    /// Computed when read.
    Virtual,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, exactly as the store has it.
    pub name: String,
    /// Its type, as dunlin carries it.
    pub ty: ColumnType,
    /// Its type as the store declares it.
    pub declared: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The store's text of its default, if it has one.
    pub default: Option<String>,
    /// Whether it makes its own numbers.
    pub identity: Option<Identity>,
    /// Whether it is computed; such a column is read but never written.
    pub generated: Option<Generated>,
    /// For an `Opaque` column of a target whose values come as text from elsewhere: dunlin reads it as text too, so that
    /// what was written and what is there are compared in one form.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_text: bool,
}

impl Column {
    /// A nullable column of this type and nothing else to say.
    pub fn new(name: impl Into<String>, ty: ColumnType) -> Self {
        let declared = ty.to_string();
        Self {
            name: name.into(),
            ty,
            declared,
            nullable: true,
            default: None,
            identity: None,
            generated: None,
            as_text: false,
        }
    }
}

/// A unique constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unique {
    /// The constraint's name, if it has one worth keeping.
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name, if it has one worth keeping.
    pub name: Option<String>,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub parent: TableName,
    /// The columns referred to, in the order of `columns`.
    pub parent_columns: Vec<String>,
    /// `NO ACTION`, `CASCADE`, `SET NULL`, `SET DEFAULT` or `RESTRICT`.
    pub on_delete: String,
    /// As `on_delete`, for updates.
    pub on_update: String,
    /// Whether it may be checked at commit.
    pub deferrable: bool,
    /// False for a PostgreSQL constraint that is NOT VALID: its violators are allowed to stay.
    pub validated: bool,
}

/// An index that is not itself a constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its plain columns in order; empty when it is over expressions.
    pub columns: Vec<String>,
    /// Whether it forbids equal rows.
    pub unique: bool,
    /// The store's own statement, kept for a target of the same system.
    pub definition: Option<String>,
}

/// A sequence or counter that feeds a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The column it feeds.
    pub column: String,
    /// The next number it would give.
    pub next: i64,
}

/// A table (or a file, or a glob of files) as dunlin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its columns in the store's order.
    pub columns: Vec<Column>,
    /// The primary key's columns in order; empty where there is none.
    pub primary_key: Vec<String>,
    /// Unique constraints besides the primary key.
    pub uniques: Vec<Unique>,
    /// Foreign keys that leave this table.
    pub foreign_keys: Vec<ForeignKey>,
    /// Indexes that are not constraints.
    pub indexes: Vec<Index>,
    /// Counters that feed its columns.
    pub sequences: Vec<Sequence>,
    /// The store's estimate of its rows.
    pub rows_estimate: Option<u64>,
    /// The store's estimate of its size in bytes.
    pub bytes_estimate: Option<u64>,
}

impl Table {
    /// A table of these columns and nothing else to say.
    pub fn new(name: TableName, columns: Vec<Column>) -> Self {
        Self {
            name,
            columns,
            primary_key: Vec::new(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            sequences: Vec::new(),
            rows_estimate: None,
            bytes_estimate: None,
        }
    }

    /// The position of the column of this exact name.
    pub fn index_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// The column of this exact name.
    pub fn column(&self, column: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == column)
    }

    /// The Arrow schema in which a read of all columns arrives. Every field is nullable: a source is not believed.
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.columns.iter().map(|c| Field::new(&c.name, c.ty.arrow_type(), true)).collect();
        Schema::new(fields).into()
    }
}
