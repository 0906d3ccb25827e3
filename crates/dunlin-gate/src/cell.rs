//! Cells of CSV files that people open in a spreadsheet. Not for a CSV store, which is never altered.

/// The cell with `'` in front when a spreadsheet would take it for a formula (`= + - @`, tab, carriage
/// return at its start).
pub fn neutralise_cell(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::neutralise_cell;

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
