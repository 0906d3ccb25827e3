//! What stands beside tasks: custom fields, views, templates, blackout days, working days, webhooks.

use axum::extract::State;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_store::Purpose;
use dunlin_work::{
    Blackout, Choice, Field, FieldType, Hook, Layout, Sharing, Shown, Template, TemplateTask, View,
    WorkError, WorkingDays,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Viewer, all_shown, op};
use crate::api::{created, done, ok};
use crate::app::App;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Method, Routes};
use crate::problem::Problem;

/// A custom field, new or changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FieldBody {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<FieldType>,
    options: Option<Vec<Choice>>,
    rank: Option<String>,
}

/// A view, new or changed; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ViewBody {
    name: Option<String>,
    layout: Option<Layout>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    shared: Option<Sharing>,
}

/// A template to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TemplateBody {
    name: String,
    tasks: Vec<TemplateTask>,
}

/// From when on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Start {
    /// `YYYY-MM-DD`.
    start: String,
}

/// A day on which nobody works on the move.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BlackoutBody {
    /// `YYYY-MM-DD`.
    date: String,
    #[serde(default)]
    why: String,
    /// Of this person or organisation alone.
    #[serde(default)]
    of: Option<String>,
}

/// A program that is to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HookBody {
    url: String,
    /// `task`, `comment`.
    events: Vec<String>,
}

/// A program that is told.
#[derive(Serialize, ToSchema)]
struct Webhook {
    id: String,
    url: String,
    events: Vec<String>,
    by: String,
    /// For checking `dunlin-signature`; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Lists.
#[derive(Serialize, ToSchema)]
struct Fields {
    items: Vec<Field>,
}
/// Lists.
#[derive(Serialize, ToSchema)]
struct Views {
    items: Vec<View>,
}
/// Lists.
#[derive(Serialize, ToSchema)]
struct Templates {
    items: Vec<Template>,
}
/// Lists.
#[derive(Serialize, ToSchema)]
struct Blackouts {
    items: Vec<Blackout>,
}
/// Lists.
#[derive(Serialize, ToSchema)]
struct AllWorkingDays {
    items: Vec<WorkingDays>,
}
/// Lists.
#[derive(Serialize, ToSchema)]
struct Webhooks {
    items: Vec<Webhook>,
}
/// The tasks that were made.
#[derive(Serialize, ToSchema)]
struct Applied {
    tasks: Vec<Shown>,
    change: Option<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.with(fields).with(views).with(templates).with(days).with(hooks)
}

fn fields(routes: Routes) -> Routes {
    let (all, one, manage) = ("/api/v1/work/fields", "/api/v1/work/fields/{field}", Action::WorkManage);
    routes
        .add(
            op(Method::Get, all, Action::WorkRead, "work_fields", "Custom fields")
                .answers::<Fields>("In their order"),
            list_fields,
        )
        .add(
            op(Method::Post, all, manage, "work_field_create", "Add a custom field")
                .takes::<FieldBody>()
                .creates::<Field>("The field"),
            add_field,
        )
        .add(
            op(Method::Patch, one, manage, "work_field_edit", "Change a custom field")
                .takes::<FieldBody>()
                .answers::<Field>("The field"),
            edit_field,
        )
        .add(
            op(Method::Delete, one, manage, "work_field_delete", "Delete a custom field and its values"),
            drop_field,
        )
}

fn views(routes: Routes) -> Routes {
    let (all, one) = ("/api/v1/work/views", "/api/v1/work/views/{view}");
    routes
        .add(
            op(Method::Get, all, Action::WorkRead, "work_views", "Views that one sees")
                .answers::<Views>("Views"),
            list_views,
        )
        .add(
            op(Method::Post, all, Action::WorkTakePart, "work_view_create", "Keep a view")
                .takes::<ViewBody>()
                .creates::<View>("The view"),
            add_view,
        )
        .add(
            op(Method::Patch, one, Action::WorkTakePart, "work_view_edit", "Change a view")
                .takes::<ViewBody>()
                .answers::<View>("The view"),
            edit_view,
        )
        .add(op(Method::Delete, one, Action::WorkTakePart, "work_view_delete", "Delete a view"), drop_view)
}

fn templates(routes: Routes) -> Routes {
    let all = "/api/v1/work/templates";
    routes
        .add(
            op(Method::Get, all, Action::WorkReadAll, "work_templates", "Templates")
                .answers::<Templates>("Templates"),
            list_templates,
        )
        .add(
            op(Method::Post, all, Action::WorkEdit, "work_template_create", "Keep a template")
                .takes::<TemplateBody>()
                .creates::<Template>("The template"),
            add_template,
        )
        .add(
            op(
                Method::Post,
                "/api/v1/work/templates/{template}/apply",
                Action::WorkEdit,
                "work_template_apply",
                "Make a template's tasks",
            )
            .takes::<Start>()
            .creates::<Applied>("The tasks"),
            apply_template,
        )
}

fn days(routes: Routes) -> Routes {
    let (all, one, manage) =
        ("/api/v1/work/blackouts", "/api/v1/work/blackouts/{blackout}", Action::WorkManage);
    let calendars = "/api/v1/work/working-days";
    routes
        .add(
            op(Method::Get, all, Action::WorkRead, "work_blackouts", "Blackout days")
                .answers::<Blackouts>("By day"),
            list_blackouts,
        )
        .add(
            op(Method::Post, all, manage, "work_blackout_create", "Add a blackout day")
                .takes::<BlackoutBody>()
                .creates::<Blackout>("The day"),
            add_blackout,
        )
        .add(
            op(Method::Delete, one, manage, "work_blackout_delete", "Take a blackout day away"),
            drop_blackout,
        )
        .add(
            op(Method::Get, calendars, Action::WorkReadAll, "work_calendars", "Who works on which days")
                .answers::<AllWorkingDays>("Monday to Friday where nothing is said"),
            list_working_days,
        )
        .add(
            op(Method::Put, calendars, manage, "work_calendar_edit", "Say on which days somebody works")
                .takes::<WorkingDays>(),
            put_working_days,
        )
        .add(
            op(
                Method::Delete,
                "/api/v1/work/working-days/{calendar}",
                manage,
                "work_calendar_delete",
                "Let somebody work on the days on which everybody does",
            ),
            drop_working_days,
        )
}

fn hooks(routes: Routes) -> Routes {
    let (all, one, manage) = ("/api/v1/work/webhooks", "/api/v1/work/webhooks/{webhook}", Action::WorkManage);
    routes
        .add(
            op(Method::Get, all, manage, "work_webhooks", "Programs that are told of changes")
                .answers::<Webhooks>("Without their secrets"),
            list_hooks,
        )
        .add(
            op(Method::Post, all, manage, "work_webhook_create", "Tell a program of changes")
                .takes::<HookBody>()
                .creates::<Webhook>("With its secret, this once"),
            add_hook,
        )
        .add(op(Method::Delete, one, manage, "work_webhook_delete", "No longer tell it"), drop_hook)
}

async fn list_fields(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&Fields { items: app.desk.work.fields() }))
}

async fn add_field(State(app): State<App>, Json(body): Json<FieldBody>) -> Result<Response, Problem> {
    let (Some(name), Some(kind)) = (body.name, body.kind) else {
        return Err(Problem::bad_request("a new field needs `name` and `type`"));
    };
    let (options, rank) = (body.options.unwrap_or_default(), body.rank.unwrap_or_default());
    let field = Field { id: String::new(), name, kind, options, rank };
    Ok(created(&app.desk.work.put_field(field).await?))
}

async fn edit_field(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(body): Json<FieldBody>,
) -> Result<Response, Problem> {
    let found = app.desk.work.fields().into_iter().find(|f| f.id == id);
    let mut field = found.ok_or_else(|| Problem::not_found("field"))?;
    if body.kind.is_some_and(|kind| kind != field.kind) {
        return Err(
            Problem::bad_request("the type of a field stays").help("add another field, and copy the values")
        );
    }
    field.name = body.name.unwrap_or(field.name);
    field.options = body.options.unwrap_or(field.options);
    field.rank = body.rank.unwrap_or(field.rank);
    Ok(ok(&app.desk.work.put_field(field).await?))
}

async fn drop_field(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    if !app.desk.work.fields().iter().any(|f| f.id == id) {
        return Err(Problem::not_found("field"));
    }
    app.desk.work.drop_field(&Viewer::of(&app, &caller).by, &id).await?;
    Ok(done())
}

async fn list_views(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let mut items = app.desk.work.views(viewer.person());
    // The names of views may tell of what guests do not see.
    items.retain(|v| viewer.sees_all || v.owner == viewer.person());
    Ok(ok(&Views { items }))
}

async fn add_view(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<ViewBody>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let (Some(name), Some(layout)) = (body.name, body.layout) else {
        return Err(Problem::bad_request("a new view needs `name` and `layout`"));
    };
    let shared = body.shared.unwrap_or(Sharing::Personal);
    if shared != Sharing::Personal && !viewer.edits {
        return Err(WorkError::Forbidden("who may not edit tasks keeps personal views").into());
    }
    let (settings, owner) = (body.settings.unwrap_or_default(), viewer.person().to_owned());
    let view = View { id: String::new(), name, layout, settings, shared, owner };
    Ok(created(&app.desk.work.put_view(view).await?))
}

/// A view that the viewer may change.
fn own_view(app: &App, viewer: &Viewer, id: &str) -> Result<View, Problem> {
    let view = app.desk.work.view(id)?;
    let owns = view.owner == viewer.person();
    match view.shared {
        _ if owns || (viewer.manages && view.shared != Sharing::Personal) => Ok(view),
        Sharing::Shared if viewer.edits => Ok(view),
        Sharing::Personal => Err(Problem::not_found("view")),
        _ => Err(WorkError::Forbidden("this view is locked: its owner and leads change it").into()),
    }
}

async fn edit_view(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<ViewBody>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let mut view = own_view(&app, &viewer, &id)?;
    if body.shared.is_some_and(|s| s != view.shared) && view.owner != viewer.person() && !viewer.manages {
        return Err(WorkError::Forbidden("its owner and leads say who sees a view").into());
    }
    if body.shared.is_some_and(|s| s != Sharing::Personal) && !viewer.edits {
        return Err(WorkError::Forbidden("who may not edit tasks keeps personal views").into());
    }
    view.name = body.name.unwrap_or(view.name);
    view.layout = body.layout.unwrap_or(view.layout);
    view.settings = body.settings.unwrap_or(view.settings);
    view.shared = body.shared.unwrap_or(view.shared);
    Ok(ok(&app.desk.work.put_view(view).await?))
}

async fn drop_view(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let viewer = Viewer::of(&app, &caller);
    let view = own_view(&app, &viewer, &id)?;
    if view.owner != viewer.person() && !viewer.manages {
        return Err(WorkError::Forbidden("its owner and leads delete a view").into());
    }
    app.desk.work.drop_view(&id).await?;
    Ok(done())
}

async fn list_templates(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&Templates { items: app.desk.work.templates() }))
}

async fn add_template(State(app): State<App>, Json(body): Json<TemplateBody>) -> Result<Response, Problem> {
    let template = Template { id: String::new(), name: body.name, tasks: body.tasks };
    Ok(created(&app.desk.work.put_template(template).await?))
}

async fn apply_template(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Start>,
) -> Result<Response, Problem> {
    let start: Date =
        body.start.parse().map_err(|_| Problem::bad_request("`start` is a day as YYYY-MM-DD"))?;
    let made = app.desk.work.apply_template(&Viewer::of(&app, &caller).by, &id, start).await?;
    Ok(created(&Applied { tasks: all_shown(&app, &made.tasks), change: made.change }))
}

async fn list_blackouts(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&Blackouts { items: app.desk.work.blackouts() }))
}

async fn add_blackout(State(app): State<App>, Json(body): Json<BlackoutBody>) -> Result<Response, Problem> {
    let blackout = Blackout { id: String::new(), date: body.date, why: body.why, of: body.of };
    Ok(created(&app.desk.work.put_blackout(blackout).await?))
}

async fn drop_blackout(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    app.desk.work.drop_blackout(&id).await?;
    Ok(done())
}

async fn list_working_days(State(app): State<App>) -> Result<Response, Problem> {
    Ok(ok(&AllWorkingDays { items: app.desk.work.working_days() }))
}

async fn drop_working_days(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    app.desk.work.drop_working_days(&id).await?;
    Ok(done())
}

async fn put_working_days(
    State(app): State<App>,
    Json(body): Json<WorkingDays>,
) -> Result<Response, Problem> {
    app.desk.work.put_working_days(body).await?;
    Ok(done())
}

/// The secret of a webhook comes from the workspace's key and the webhook's id, so it is not kept anywhere.
pub(super) fn secret(app: &App, id: &str) -> Result<String, Problem> {
    let key = app.workspace.keys().key(Purpose::Outgoing)?;
    let mut bytes = b"work webhook ".to_vec();
    bytes.extend_from_slice(id.as_bytes());
    let keyed = dunlin_work::keyed(&key[..], &bytes);
    Ok(format!("dunlin_whs_{keyed}"))
}

async fn list_hooks(State(app): State<App>) -> Result<Response, Problem> {
    let hook = |h: Hook| Webhook { id: h.id, url: h.url, events: h.events, by: h.by, secret: None };
    Ok(ok(&Webhooks { items: app.desk.work.hooks().into_iter().map(hook).collect() }))
}

async fn add_hook(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<HookBody>,
) -> Result<Response, Problem> {
    let by = caller.who.person.clone();
    let hook =
        app.desk.work.put_hook(Hook { id: String::new(), url: body.url, events: body.events, by }).await?;
    let secret = Some(secret(&app, &hook.id)?);
    Ok(created(&Webhook { id: hook.id, url: hook.url, events: hook.events, by: hook.by, secret }))
}

async fn drop_hook(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    app.desk.work.drop_hook(&id).await?;
    Ok(done())
}
