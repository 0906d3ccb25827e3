//! Custom fields, views, templates, working days, blackout days, the baseline, webhooks and calendar addresses: kept,
//! changed, deleted.

use std::collections::BTreeMap;

use dunlin_store::{new_id, now_us};
use jiff::ToSpan;
use jiff::civil::Date;
use rand::RngCore;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::calendar::WEEKDAYS;
use crate::error::{Result, WorkError, db};
use crate::model::{Dependency, Origin, Task};
use crate::rank;
use crate::things::{Baseline, Blackout, Field, FieldType, Hook, Template, View, WorkingDays};
use crate::work::{By, Edit, Made, Told, Work};

fn name_fits(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > 200 || name.contains(char::is_control) {
        return Err(WorkError::invalid("`name`", "a line of text of at most 200 bytes"));
    }
    Ok(())
}

impl Work {
    /// Keeps a custom field, new where its id is empty.
    pub async fn put_field(&self, mut field: Field) -> Result<Field> {
        name_fits(&field.name)?;
        let is_choice = matches!(field.kind, FieldType::Select | FieldType::MultiSelect);
        if !is_choice {
            field.options.clear();
        }
        if field.options.len() > 500 {
            return Err(WorkError::TooMuch("a field has at most 500 options"));
        }
        for option in &mut field.options {
            name_fits(&option.name)?;
            if option.id.is_empty() {
                option.id = new_id();
            }
        }
        let count = self.board().fields.len();
        if field.id.is_empty() {
            if count >= 100 {
                return Err(WorkError::TooMuch("a workspace has at most 100 custom fields"));
            }
            field.id = new_id();
        }
        if field.rank.is_empty() {
            let last = self.board().fields.iter().map(|f| f.rank.clone()).max();
            field.rank = rank::between(last.as_deref(), None);
        }
        self.put_thing(&field, |b| &mut b.fields, "fields").await?;
        Ok(field)
    }

    /// Custom fields in their order.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = self.board().fields.clone();
        fields.sort_by(|a, b| a.rank.cmp(&b.rank));
        fields
    }

    /// Deletes a custom field and its values, in a change that can be undone once there is such a field again.
    pub async fn drop_field(&self, by: &By, id: &str) -> Result<()> {
        let holders: Vec<String> =
            self.board().tasks().filter(|t| t.fields.contains_key(id)).map(|t| t.id.clone()).collect();
        let set = Map::from_iter([(format!("fields.{id}"), Value::Null)]);
        let edits = holders.into_iter().map(|id| Edit { id, set: set.clone(), version: None }).collect();
        self.edit(by, "field", edits).await?;
        self.drop_thing::<Field>(id, |b| &mut b.fields, "fields").await
    }

    /// The views that a person sees.
    pub fn views(&self, person: &str) -> Vec<View> {
        use crate::things::Sharing::Personal;
        let seen = |v: &&View| v.shared != Personal || v.owner == person;
        self.board().views.iter().filter(seen).cloned().collect()
    }

    /// A view.
    pub fn view(&self, id: &str) -> Result<View> {
        self.board().views.iter().find(|v| v.id == id).cloned().ok_or(WorkError::Unknown("view"))
    }

    /// Keeps a view, new where its id is empty.
    pub async fn put_view(&self, mut view: View) -> Result<View> {
        name_fits(&view.name)?;
        if view.settings.to_string().len() > 100_000 {
            return Err(WorkError::TooMuch("a view keeps at most 100 kB"));
        }
        if view.id.is_empty() {
            view.id = new_id();
        }
        self.put_thing(&view, |b| &mut b.views, "views").await?;
        Ok(view)
    }

    /// Deletes a view.
    pub async fn drop_view(&self, id: &str) -> Result<()> {
        self.drop_thing::<View>(id, |b| &mut b.views, "views").await
    }

    /// The templates.
    pub fn templates(&self) -> Vec<Template> {
        self.board().templates.clone()
    }

    /// Keeps a template.
    pub async fn put_template(&self, mut template: Template) -> Result<Template> {
        name_fits(&template.name)?;
        if template.tasks.is_empty() || template.tasks.len() > 1000 {
            return Err(WorkError::invalid("`tasks`", "a template has 1 to 1000 tasks"));
        }
        for (at, task) in template.tasks.iter().enumerate() {
            name_fits(&task.title)?;
            let earlier = |other: &usize| *other < at;
            if !task.after.iter().all(earlier) || !task.part_of.iter().all(earlier) {
                let help = "`after` and `part_of` name tasks that stand earlier in the list";
                return Err(WorkError::invalid("`tasks`", help));
            }
        }
        if template.id.is_empty() {
            template.id = new_id();
        }
        self.put_thing(&template, |b| &mut b.templates, "templates").await?;
        Ok(template)
    }

    /// Makes the tasks of a template, from this day on.
    pub async fn apply_template(&self, by: &By, id: &str, start: Date) -> Result<Made> {
        let found = self.board().templates.iter().find(|t| t.id == id).cloned();
        let template = found.ok_or(WorkError::Unknown("template"))?;
        let day = |after: Option<i32>| after.and_then(|days| start.checked_add(days.days()).ok());
        let _turn = self.turn().await;
        let mut last = self.board().last_rank();
        let mut tasks: Vec<Task> = Vec::new();
        for one in &template.tasks {
            let place = rank::between(last.as_deref(), None);
            last = Some(place.clone());
            let id_of = |at: &usize| tasks.get(*at).map(|t| t.id.clone());
            let after =
                one.after.iter().filter_map(id_of).map(|task| Dependency { task, lag_days: 0 }).collect();
            let parent = one.part_of.as_ref().and_then(id_of);
            tasks.push(Task {
                id: new_id(),
                title: one.title.clone(),
                description: one.description.clone(),
                origin: Origin::Manual,
                start: day(one.start_after),
                deadline: day(one.due_after),
                estimate_hours: one.estimate_hours,
                labels: one.labels.clone(),
                depends_on: after,
                parent,
                rank: place,
                ..Task::default()
            });
        }
        self.add(by, "template", tasks).await
    }

    /// Blackout days.
    pub fn blackouts(&self) -> Vec<Blackout> {
        let mut days = self.board().blackouts.clone();
        days.sort_by(|a, b| a.date.cmp(&b.date));
        days
    }

    /// Keeps a blackout day.
    pub async fn put_blackout(&self, mut blackout: Blackout) -> Result<Blackout> {
        crate::value::date("date", &json!(blackout.date))?;
        if blackout.why.len() > 200 || blackout.of.as_ref().is_some_and(|of| of.len() > 200) {
            return Err(WorkError::invalid("`why` or `of`", "at most 200 bytes"));
        }
        blackout.id = new_id();
        self.put_thing(&blackout, |b| &mut b.blackouts, "blackouts").await?;
        Ok(blackout)
    }

    /// Takes a blackout day away.
    pub async fn drop_blackout(&self, id: &str) -> Result<()> {
        self.drop_thing::<Blackout>(id, |b| &mut b.blackouts, "blackouts").await
    }

    /// Who works on which days.
    pub fn working_days(&self) -> Vec<WorkingDays> {
        self.board().working_days.clone()
    }

    /// Keeps the working days of a person, an organisation, or everybody.
    pub async fn put_working_days(&self, days: WorkingDays) -> Result<()> {
        let known = |d: &String| WEEKDAYS.contains(&d.as_str());
        if days.days.is_empty() || days.days.len() > 7 || !days.days.iter().all(known) {
            return Err(WorkError::invalid("`days`", "one or more of mon tue wed thu fri sat sun"));
        }
        if days.holidays.len() > 1000 || days.id.is_empty() || days.id.len() > 200 {
            return Err(WorkError::invalid("`id` or `holidays`", "an id, and at most 1000 days off"));
        }
        for day in &days.holidays {
            crate::value::date("holidays", &json!(day))?;
        }
        self.put_thing(&days, |b| &mut b.working_days, "working_days").await
    }

    /// Forgets the working days of a person or an organisation: they work when everybody does.
    pub async fn drop_working_days(&self, id: &str) -> Result<()> {
        self.drop_thing::<WorkingDays>(id, |b| &mut b.working_days, "working_days").await
    }

    /// Saves the present schedule, to be compared with.
    pub async fn save_baseline(&self, today: i32) -> Result<Baseline> {
        let mut tasks = BTreeMap::new();
        {
            let board = self.board();
            let plan = board.fresh_plan(today);
            for task in board.tasks() {
                if let Some(place) = board.scheduled(&plan, task) {
                    tasks.insert(task.id.clone(), (place.early_start, place.early_finish));
                }
            }
        }
        let baseline = Baseline { id: "baseline".to_owned(), at: now_us(), tasks };
        let _turn = self.turn().await;
        let mut tx = self.state().begin().await?;
        crate::keep::put_thing(&mut tx, &baseline).await?;
        tx.commit().await?;
        self.with(|board| board.baseline = Some(baseline.clone()));
        self.tell(Told::Changed("baseline"));
        Ok(baseline)
    }

    /// The saved schedule.
    pub fn baseline(&self) -> Option<Baseline> {
        self.board().baseline.clone()
    }

    /// The webhooks.
    pub fn hooks(&self) -> Vec<Hook> {
        self.board().hooks.clone()
    }

    /// Keeps a webhook.
    pub async fn put_hook(&self, mut hook: Hook) -> Result<Hook> {
        let url = url::Url::parse(&hook.url).ok().filter(|u| matches!(u.scheme(), "http" | "https"));
        if url.is_none() || hook.url.len() > 2000 {
            return Err(WorkError::invalid("`url`", "an address that begins with https://"));
        }
        let known = |e: &String| matches!(e.as_str(), "task" | "comment");
        if hook.events.is_empty() || !hook.events.iter().all(known) {
            return Err(WorkError::invalid("`events`", "`task`, `comment` or both"));
        }
        if self.board().hooks.len() >= 50 {
            return Err(WorkError::TooMuch("a workspace has at most 50 webhooks"));
        }
        hook.id = new_id();
        self.put_thing(&hook, |b| &mut b.hooks, "webhooks").await?;
        Ok(hook)
    }

    /// Deletes a webhook.
    pub async fn drop_hook(&self, id: &str) -> Result<()> {
        self.drop_thing::<Hook>(id, |b| &mut b.hooks, "webhooks").await
    }

    /// Gives a person a calendar address, and takes back the one before. The token is shown this once.
    pub async fn open_feed(&self, person: &str) -> Result<String> {
        let mut bytes = [0u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        let token = hex::encode(bytes);
        let mut tx = self.state().begin().await?;
        sqlx::query(
            "insert into work_feeds (person, token_hash, created_at) values ($1, $2, $3) on conflict (person) do update \
             set token_hash = excluded.token_hash, created_at = excluded.created_at, read_at = null",
        )
        .bind(person)
        .bind(feed_hash(&token))
        .bind(now_us())
        .execute(tx.connection())
        .await
        .map_err(db("keeping a calendar address"))?;
        tx.commit().await?;
        Ok(token)
    }

    /// Whether a person has a calendar address, and since when.
    pub async fn feed_since(&self, person: &str) -> Result<Option<i64>> {
        let found = sqlx::query_scalar("select created_at from work_feeds where person = $1").bind(person);
        found.fetch_optional(self.state().pool()).await.map_err(db("reading a calendar address"))
    }

    /// Takes a calendar address back.
    pub async fn close_feed(&self, person: &str) -> Result<()> {
        let mut tx = self.state().begin().await?;
        let done = sqlx::query("delete from work_feeds where person = $1")
            .bind(person)
            .execute(tx.connection())
            .await;
        done.map_err(db("taking a calendar address back"))?;
        Ok(tx.commit().await?)
    }

    /// Whose calendar this is.
    pub async fn feed_of(&self, token: &str) -> Result<Option<String>> {
        let found =
            sqlx::query_scalar("select person from work_feeds where token_hash = $1").bind(feed_hash(token));
        found.fetch_optional(self.state().pool()).await.map_err(db("reading a calendar address"))
    }
}

/// The token is random, so a plain hash is enough.
fn feed_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
