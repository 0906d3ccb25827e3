//! PostgreSQL's types in dunlin's words, and back.

use crate::{Column, ColumnType};

/// What the catalog says about the type of a column, domains already followed to their base.
pub(super) struct CatalogType<'a> {
    /// `pg_type.typname` of the base type.
    pub(super) name: &'a str,
    /// Whether it lives in `pg_catalog`.
    pub(super) builtin: bool,
    /// `pg_type.typtype`: `e` is an enum.
    pub(super) kind: char,
    /// The type modifier, -1 for none.
    pub(super) modifier: i32,
    /// Whether its binary form means the same on another server. Arrays of enums, composites and `regclass` hold
    /// object numbers of their own database, and some types have no binary form at all.
    pub(super) portable: bool,
    /// `format_type()` of the base type without a modifier.
    pub(super) formatted: &'a str,
}

impl CatalogType<'_> {
    /// The type as dunlin carries it.
    pub(super) fn column_type(&self) -> ColumnType {
        if self.kind == 'e' || (self.name == "citext" && !self.builtin) || !self.portable {
            return ColumnType::TEXT;
        }
        if !self.builtin {
            return ColumnType::Opaque { name: self.formatted.to_owned() };
        }
        // Lengths are stored with four bytes of header in the modifier.
        let length = u32::try_from(self.modifier - 4).ok();
        match self.name {
            "bool" => ColumnType::Bool,
            "int2" => ColumnType::Int16,
            "int4" => ColumnType::Int32,
            "int8" => ColumnType::Int64,
            "float4" => ColumnType::Float32,
            "float8" => ColumnType::Float64,
            "numeric" => numeric_type(self.modifier),
            "text" | "name" => ColumnType::TEXT,
            "varchar" => ColumnType::Text { max: length },
            "bpchar" => length.map_or(ColumnType::TEXT, |len| ColumnType::Char { len }),
            "bytea" => ColumnType::Binary,
            "date" => ColumnType::Date,
            "time" => ColumnType::Time,
            "timestamp" => ColumnType::Timestamp,
            "timestamptz" => ColumnType::TimestampTz,
            "uuid" => ColumnType::Uuid,
            "json" => ColumnType::Json,
            "jsonb" => ColumnType::Jsonb,
            _ => ColumnType::Opaque { name: self.formatted.to_owned() },
        }
    }
}

fn numeric_type(modifier: i32) -> ColumnType {
    if modifier < 4 {
        return ColumnType::Numeric;
    }
    let packed = modifier - 4;
    let precision = packed >> 16;
    // Eleven bits with a sign since PostgreSQL 15; before, always a small positive number.
    let scale = ((packed & 0x7ff) ^ 0x400) - 0x400;
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale >= 0 && scale as u8 <= precision => {
            ColumnType::Decimal { precision, scale }
        }
        _ => ColumnType::Numeric,
    }
}

/// Whether a column that arrives as text must be cast to text by the server: enums, and types whose binary form is
/// not portable. A `varchar` is its own text already.
pub(super) fn needs_cast(column: &Column) -> bool {
    matches!(column.ty, ColumnType::Text { .. })
        && column.declared != "text"
        && column.declared != "bpchar"
        && !column.declared.starts_with("character varying")
}

/// The type of a column to be created, in PostgreSQL's words.
pub(super) fn sql_type(ty: &ColumnType) -> String {
    match ty {
        ColumnType::Bool => "boolean".into(),
        ColumnType::Int16 => "smallint".into(),
        ColumnType::Int32 => "integer".into(),
        ColumnType::Int64 => "bigint".into(),
        ColumnType::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        ColumnType::Numeric => "numeric".into(),
        ColumnType::Float32 => "real".into(),
        ColumnType::Float64 => "double precision".into(),
        // PostgreSQL's own limit; a longer promise is kept by `text`.
        ColumnType::Text { max: Some(max) } if (1..=10_485_760).contains(max) => {
            format!("character varying({max})")
        }
        ColumnType::Text { .. } => "text".into(),
        ColumnType::Char { len } if (1..=10_485_760).contains(len) => format!("character({len})"),
        ColumnType::Char { .. } => "text".into(),
        ColumnType::Binary => "bytea".into(),
        ColumnType::Date => "date".into(),
        ColumnType::Time => "time".into(),
        ColumnType::Timestamp => "timestamp".into(),
        ColumnType::TimestampTz => "timestamptz".into(),
        ColumnType::Uuid => "uuid".into(),
        ColumnType::Json => "json".into(),
        ColumnType::Jsonb => "jsonb".into(),
        ColumnType::Opaque { name } => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, modifier: i32) -> ColumnType {
        CatalogType { name, builtin: true, kind: 'b', modifier, portable: true, formatted: name }
            .column_type()
    }

    #[test]
    fn modifiers_are_understood() {
        assert_eq!(of("varchar", 24), ColumnType::Text { max: Some(20) });
        assert_eq!(of("varchar", -1), ColumnType::TEXT);
        assert_eq!(of("bpchar", 7), ColumnType::Char { len: 3 });
        assert_eq!(of("numeric", -1), ColumnType::Numeric);
        assert_eq!(of("numeric", (12 << 16 | 2) + 4), ColumnType::Decimal { precision: 12, scale: 2 });
        assert_eq!(of("numeric", (38 << 16 | 38) + 4), ColumnType::Decimal { precision: 38, scale: 38 });
        assert_eq!(of("numeric", (39 << 16) + 4), ColumnType::Numeric);
        assert_eq!(of("numeric", (3 << 16 | 5) + 4), ColumnType::Numeric);
        assert_eq!(of("numeric", (3 << 16 | 0x7fe) + 4), ColumnType::Numeric, "scale -2");
        assert_eq!(of("inet", -1), ColumnType::Opaque { name: "inet".into() });
    }
}
