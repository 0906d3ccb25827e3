//! CSV files that people open in a spreadsheet: their cells, rows and names. Not for a CSV store, which is never altered.

/// The cell with `'` in front when a spreadsheet would take it for a formula (`= + - @`, tab, carriage
/// return at its start).
pub fn neutralise_cell(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// Rows as CSV. A cell that a spreadsheet would run as a formula is defused; NULL is an empty cell.
///
/// # Errors
/// None that writing into memory would give.
pub fn people_csv(columns: &[&str], rows: &[Vec<Option<String>>]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|c| neutralise_cell(c)))?;
    for row in rows {
        writer.write_record(row.iter().map(|v| neutralise_cell(v.as_deref().unwrap_or_default())))?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A file's name for a table of one side: letters, digits, `-`, `_` and `.`, and no two alike.
pub fn people_file_name(side: &str, table: &str, taken: &mut Vec<String>) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let stem: String = format!("{side}-{table}").chars().map(safe).collect();
    let mut name = format!("{stem}.csv");
    let mut n = 2;
    while taken.contains(&name) {
        name = format!("{stem}-{n}.csv");
        n += 1;
    }
    taken.push(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::{neutralise_cell, people_csv, people_file_name};

    #[test]
    fn a_file_for_people_runs_nothing_and_names_stay_apart() {
        let rows = [vec![Some("=1+1".to_owned()), None]];
        assert_eq!(people_csv(&["a", "@b"], &rows).unwrap(), b"a,'@b\n'=1+1,\n");
        let mut taken = Vec::new();
        assert_eq!(people_file_name("source", "crm/people", &mut taken), "source-crm_people.csv");
        assert_eq!(people_file_name("source", "crm people", &mut taken), "source-crm_people-2.csv");
    }

    #[test]
    fn formulas_are_defused_and_the_rest_stays() {
        for cell in ["=1+1", "+34 600", "-2", "@sum", "\tx", "\rx"] {
            assert_eq!(neutralise_cell(cell), format!("'{cell}"));
        }
        for cell in ["", "Ana", "1=2", " =1"] {
            assert_eq!(neutralise_cell(cell), cell);
        }
    }
}
