//! `dunlin user`: people and what they may do, from a shell of the machine. The actor is the machine's user, marked
//! unauthenticated in the ledger; the same actions by signed-in people go through the server.

use std::path::Path;

use dunlin_guard::{Guard, Invite, Limit, Person, Reason};
use dunlin_plan::Role;
use dunlin_server::ServerConfig;
use dunlin_store::{Actor, Workspace};
use jiff::Timestamp;

use super::OK;
use super::serve::guarded;
use crate::cli::{Format, UserCommand};
use crate::failure::Failure;
use crate::output;
use crate::workspace::open;

/// Lists or changes people.
pub async fn user(dir: &Path, command: UserCommand, format: Format) -> Result<u8, Failure> {
    let config = ServerConfig::load(dir).map_err(|e| Failure::usage(e.to_string(), "mend server.toml"))?;
    let workspace = open(dir).await?;
    let guard = Guard::open(&workspace, config.guard).await.map_err(guarded)?;
    let actor = Actor::local();
    match command {
        UserCommand::List => return list(&guard, format).await,
        UserCommand::Show { person } => return show(&guard, &person, format).await,
        UserCommand::Invite { email, name, role, organisation } => {
            let invite = Invite {
                email: &email,
                name: name.as_deref().unwrap_or(&email),
                role: parse_role(&role)?,
                organisation: organisation.as_deref(),
                life_s: None,
            };
            let (info, token) = guard.invite(&actor, invite).await.map_err(guarded)?;
            invited(&guard, &info.id, token.expose(), format);
        }
        UserCommand::Role { person, role } => {
            let (id, role) = (find(&guard, &person).await?.id, parse_role(&role)?);
            guard.authorise(&actor, &id, role).await.map_err(guarded)?;
            done(&format!("{person} is {} now", role.as_str()), format);
        }
        UserCommand::Block { person, reason } => {
            let id = find(&guard, &person).await?.id;
            guard.block(&actor, &id, &because(&reason)?).await.map_err(guarded)?;
            done(&format!("{person} is blocked; every session and token of theirs has ended"), format);
        }
        UserCommand::Unblock { person, reason } => {
            let id = find(&guard, &person).await?.id;
            guard.unblock(&actor, &id, &because(&reason)?).await.map_err(guarded)?;
            done(&format!("{person} may come in again"), format);
        }
        UserCommand::RequireMfa { person, no } => {
            let id = find(&guard, &person).await?.id;
            guard.require_mfa(&actor, &id, !no).await.map_err(guarded)?;
            let said = if no { "only where the role requires one" } else { "from now on" };
            done(&format!("{person} needs a second factor {said}"), format);
        }
        UserCommand::EndSessions { person } => {
            let id = find(&guard, &person).await?.id;
            let ended = guard.end_sessions(&actor, &id, None).await.map_err(guarded)?;
            done(&format!("{ended} of {person} ended: they sign in again"), format);
        }
        UserCommand::Limit { person, tables, until, none } => {
            let id = find(&guard, &person).await?.id;
            let limit = limit(&guard, tables, until.as_deref(), none)?;
            guard.limit(&actor, &id, &limit).await.map_err(guarded)?;
            done(&format!("what {person} may reach has changed"), format);
        }
    }
    integrate(&workspace).await?;
    Ok(OK)
}

async fn integrate(workspace: &Workspace) -> Result<(), Failure> {
    workspace.integrate().await?;
    Ok(())
}

/// By address or id.
async fn find(guard: &Guard, who: &str) -> Result<Person, Failure> {
    let found = if who.contains('@') {
        guard.person_by_email(who).await.map_err(guarded)?
    } else {
        Some(guard.person(who).await.map_err(guarded)?)
    };
    found.ok_or_else(|| {
        Failure::usage(
            "nobody has that address",
            "`dunlin user list` names them; `dunlin user invite` adds one",
        )
    })
}

fn parse_role(text: &str) -> Result<Role, Failure> {
    text.parse().map_err(|_| {
        let help = "owner, lead, engineer, steward, writer, approver, auditor or guest";
        Failure::usage(format!("`{text}` is no role"), help)
    })
}

/// `CATEGORY:TEXT`, or a text alone.
fn because(text: &str) -> Result<Reason, Failure> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    let (category, text) = match text.split_once(':') {
        Some((category, rest)) if !category.is_empty() && category.chars().all(plain) => {
            (category, rest.trim())
        }
        _ => ("other", text.trim()),
    };
    if text.is_empty() {
        return Err(Failure::usage("a reason is needed", "--reason \"suspected_breach:sign-ins at night\""));
    }
    Ok(Reason { category: category.to_owned(), text: text.to_owned() })
}

fn limit(guard: &Guard, tables: Vec<String>, until: Option<&str>, none: bool) -> Result<Limit, Failure> {
    if none {
        return Ok(Limit::default());
    }
    let until = until.map(|text| moment(guard, text)).transpose()?;
    if tables.is_empty() && until.is_none() {
        return Err(Failure::usage("nothing is limited", "--table STORE.TABLE, --until DATE, or --none"));
    }
    Ok(Limit { tables: (!tables.is_empty()).then_some(tables), until })
}

/// The end of a day of this machine's zone, or a moment with its own.
fn moment(guard: &Guard, text: &str) -> Result<i64, Failure> {
    let wrong =
        || Failure::usage(format!("`{text}` is no date"), "for example 2026-12-31 or 2026-12-31T18:00:00Z");
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
            let next = date.tomorrow().map_err(|_| wrong())?;
            next.to_zoned(jiff::tz::TimeZone::system()).map_err(|_| wrong())?.timestamp()
        }
    };
    // The guard counts by a clock that nobody turns back; what it counts from is how far away the moment is.
    let now = guard.now();
    Ok(now.late.saturating_add(at.as_microsecond().saturating_sub(now.wall)))
}

async fn list(guard: &Guard, format: Format) -> Result<u8, Failure> {
    let people = guard.people().await.map_err(guarded)?;
    if format == Format::Json {
        people.iter().for_each(output::json);
        return Ok(OK);
    }
    if people.is_empty() {
        output::line("Nobody yet. `dunlin serve` prints a link for the first owner.");
        return Ok(OK);
    }
    let rows: Vec<Vec<String>> = people.iter().map(row).collect();
    output::line(&output::table(
        &["person", "role", "status", "organisation", "second factor", "last seen"],
        &rows,
        &[],
    ));
    Ok(OK)
}

fn row(person: &Person) -> Vec<String> {
    let seen = person.last_seen_at.and_then(|us| Timestamp::from_microsecond(us).ok());
    let seen = seen.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let factor = match (person.mfa_enrolled, person.mfa_required) {
        (true, _) => "yes",
        (false, true) => "required",
        (false, false) => "no",
    };
    vec![
        format!("{} <{}>", person.name, person.email),
        person.role.as_str().to_owned(),
        person.status.as_str().to_owned(),
        person.organisation.clone().unwrap_or_else(|| "in-house".to_owned()),
        factor.to_owned(),
        seen.unwrap_or_else(|| "never".to_owned()),
    ]
}

async fn show(guard: &Guard, who: &str, format: Format) -> Result<u8, Failure> {
    let person = find(guard, who).await?;
    let record = guard.record(&person.id).await.map_err(guarded)?;
    if format == Format::Json {
        output::json(&record);
    } else {
        output::line(&serde_json::to_string_pretty(&record).unwrap_or_default());
    }
    Ok(OK)
}

fn invited(guard: &Guard, id: &str, token: &str, format: Format) {
    let path = format!("/invitation/{token}");
    let link = guard.link(&path).unwrap_or(path);
    if format == Format::Json {
        output::json(&serde_json::json!({ "invitation": id, "link": link }));
        return;
    }
    output::line("Hand this link over in person; it works once:");
    output::line(&format!("  {link}"));
}

fn done(text: &str, format: Format) {
    if format == Format::Json {
        output::json(&serde_json::json!({ "done": true }));
    } else {
        output::line(text);
    }
}
