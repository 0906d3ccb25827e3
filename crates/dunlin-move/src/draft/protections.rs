//! Whether what the plan says under `protect` can be done to its columns.

use dunlin_connect::ColumnType;
use dunlin_plan::{Kind, Protect};
use dunlin_quality::FAKE_KINDS;

use super::Drafting;
use crate::spec::Mapped;

impl Drafting<'_> {
    /// Tells columns whose protection has nothing to act on.
    pub(super) fn protections(&mut self, mapped: &[Mapped]) {
        let customer = self.given.subject.as_ref().is_some_and(|s| mapped.iter().any(|m| m.target == *s));
        for column in mapped {
            let Some(protect) = column.protect else { continue };
            let Some((message, help)) = self.cannot(protect, column, customer) else { continue };
            let plan = self.given.plan;
            let span = plan.column(&column.target).map_or(plan.span, |c| c.span);
            self.error("move-protect", span, Some(&column.target), message, help.to_owned());
        }
    }

    fn cannot(&self, protect: Protect, column: &Mapped, customer: bool) -> Option<(String, &'static str)> {
        let name = &column.target;
        let date =
            matches!(column.clear_type, ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz);
        match protect {
            Protect::Shift if !date => {
                let message =
                    format!("`{name}` is no date that could be moved: it is {:?}", column.clear_type);
                Some((message, "make it a date first: `clean = \"date\"`, or `cast(… as date)`"))
            }
            Protect::Shift if !customer => {
                let message = format!(
                    "the dates of `{name}` cannot be moved customer by customer: no column says whose they are"
                );
                Some((
                    message,
                    "say it: `subject = \"column\"` of the table, and map that column or the one whose foreign keys lead to them",
                ))
            }
            Protect::General
                if !date && !matches!(column.kind, Some(Kind::BirthDate | Kind::Age | Kind::Postcode)) =>
            {
                let message = format!("nothing is known that `{name}` could be made coarser to");
                Some((
                    message,
                    "give it `kind = \"birth_date\"`, \"age\" or \"postcode\", or protect it otherwise",
                ))
            }
            Protect::Fake if !column.kind.is_some_and(|kind| FAKE_KINDS.contains(&kind.as_str())) => {
                let message = format!("no values can be made up for `{name}`: its kind has none");
                Some((message, "`protect = \"format\"` gives a stand-in of the same shape to any column"))
            }
            _ => None,
        }
    }
}
