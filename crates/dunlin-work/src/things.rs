//! What stands beside tasks: custom fields, views, templates, calendars, blackout days, baselines, webhooks; and the
//! check of a custom field's value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Result, WorkError};

/// What a custom field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// A person's id.
    Person,
    /// One of its options, by id.
    Select,
    /// Several of them.
    MultiSelect,
    /// Yes or no.
    Checkbox,
    /// An address of the web.
    Url,
}

/// One choice of a custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its id; made where it is empty.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its colour's name or `#rrggbb`.
    #[serde(default)]
    pub colour: String,
}

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    /// UUIDv7.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// The choices of a select.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// Its place among the fields.
    #[serde(default)]
    pub rank: String,
}

impl Field {
    /// Refuses a value that the field does not take. Null empties it.
    pub fn check(&self, value: &Value) -> Result<()> {
        let is_choice = |v: &Value| v.as_str().is_some_and(|id| self.options.iter().any(|o| o.id == id));
        let short = |v: &Value, max: usize| v.as_str().is_some_and(|t| t.len() <= max);
        let (fits, help) = match self.kind {
            FieldType::Text => (short(value, 10_000), "this field takes a text"),
            FieldType::Number => (value.as_f64().is_some_and(f64::is_finite), "this field takes a number"),
            FieldType::Date => {
                (crate::value::date("", value).is_ok(), "this field takes a day as YYYY-MM-DD")
            }
            FieldType::Person => (short(value, 64), "this field takes a person's id"),
            FieldType::Select => (is_choice(value), "this field takes the id of one of its options"),
            FieldType::MultiSelect => (
                value.as_array().is_some_and(|list| list.len() <= 200 && list.iter().all(is_choice)),
                "this field takes a list of ids of its options",
            ),
            FieldType::Checkbox => (value.is_boolean(), "this field takes true or false"),
            FieldType::Url => {
                let web = |t: &str| {
                    url::Url::parse(t).is_ok_and(|u| matches!(u.scheme(), "http" | "https" | "mailto"))
                };
                (value.as_str().is_some_and(|t| t.len() <= 2000 && web(t)), "this field takes a web address")
            }
        };
        if fits || value.is_null() {
            Ok(())
        } else {
            Err(WorkError::invalid("the value of a custom field", help))
        }
    }
}

/// How a view is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A table.
    Grid,
    /// Columns of cards.
    Board,
    /// Days.
    Calendar,
    /// Bars over time.
    Timeline,
}

/// Who sees and changes a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Its owner alone.
    Personal,
    /// Everybody sees and changes it.
    Shared,
    /// Everybody sees it, its owner and leads change it.
    Locked,
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct View {
    /// UUIDv7.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How it is laid out.
    pub layout: Layout,
    /// What the pages keep: columns, filter, order.
    #[schema(value_type = Object)]
    pub settings: Value,
    /// Who sees it.
    pub shared: Sharing,
    /// Whose it is.
    pub owner: String,
}

/// A task of a template: days count from the template's start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateTask {
    /// In a line.
    pub title: String,
    /// In Markdown.
    #[serde(default)]
    pub description: String,
    /// Days after the start on which it begins.
    #[serde(default)]
    pub start_after: Option<i32>,
    /// Days after the start by which it is due.
    #[serde(default)]
    pub due_after: Option<i32>,
    /// Hours of work.
    #[serde(default)]
    pub estimate_hours: Option<f64>,
    /// Labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Places in this list, from 0, of the tasks that come before it.
    #[serde(default)]
    pub after: Vec<usize>,
    /// Place in this list of the task that it is part of.
    #[serde(default)]
    pub part_of: Option<usize>,
}

/// Tasks that are made together again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// UUIDv7.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// The tasks; those of the list that come before must not come after.
    pub tasks: Vec<TemplateTask>,
}

/// A day on which nobody works on the move, for everybody or for one organisation or person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blackout {
    /// UUIDv7.
    #[serde(default)]
    pub id: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Why, shown in calendars.
    #[serde(default)]
    pub why: String,
    /// Of this person or organisation alone; of everybody without.
    #[serde(default)]
    pub of: Option<String>,
}

/// The days on which a person or an organisation works. The id is the person's, the organisation's name, or
/// `everybody`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkingDays {
    /// Whose.
    pub id: String,
    /// `mon` to `sun`.
    pub days: Vec<String>,
    /// Days off, `YYYY-MM-DD`.
    #[serde(default)]
    pub holidays: Vec<String>,
}

/// The schedule of one moment, kept to be compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// `baseline`: there is one.
    pub id: String,
    /// When it was saved.
    pub at: i64,
    /// Start and finish of each task.
    pub tasks: BTreeMap<String, (String, String)>,
}

/// Somebody's program that is told of changes. Its secret is not kept: it comes from the workspace's key and the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// UUIDv7.
    pub id: String,
    /// Where to.
    pub url: String,
    /// What it is told: `task`, `comment`.
    pub events: Vec<String>,
    /// Who made it.
    pub by: String,
}

/// A kind of thing that is kept by id, whole.
pub trait Thing: Serialize + serde::de::DeserializeOwned + Clone {
    /// Its word in the state.
    const KIND: &'static str;
    /// Its id.
    fn id(&self) -> &str;
}

macro_rules! thing {
    ($($name:ident = $kind:literal),+) => { $(impl Thing for $name {
        const KIND: &'static str = $kind;
        fn id(&self) -> &str { &self.id }
    })+ };
}
thing!(Field = "field", View = "view", Template = "template", Blackout = "blackout");
thing!(WorkingDays = "working_days", Baseline = "baseline", Hook = "webhook");
