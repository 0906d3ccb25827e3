//! `dunlin notice`: what customers are told, as files of the workspace: drafted from the plan, held against it, looked
//! at, compared. Sending is in `send`, what came back in `bounces`. Not here: publishing (`publish`).

mod bounces;
mod deliveries;
mod published;
mod send;
mod whom;

use std::path::{Path, PathBuf};

use dunlin_tell::render::{Actions, NOTICE_CSS, mail, page};
use dunlin_tell::{Dates, Facts, Gate, Images, Lang, NoticeSource, Word};

use super::{NOT_RIGHT, OK};
use crate::cli::{Format, NoticeCommand, NoticeDates};
use crate::failure::{Failure, any_error};
use crate::output;
use crate::workspace::PlanFile;

/// The folder of notices, beside the plan.
const FOLDER: &str = "notices";

/// Does what is asked.
pub async fn notice(dir: &Path, command: NoticeCommand, format: Format) -> Result<u8, Failure> {
    match command {
        NoticeCommand::Draft { id, lang, dates } => draft(dir, &id, &lang, &dates),
        NoticeCommand::Check { files, dates } => check(dir, &files, &dates, format),
        NoticeCommand::Preview { file, out } => preview(dir, &file, &out),
        NoticeCommand::Diff { old, new } => diff(&old, &new),
        NoticeCommand::Submit { file, no_links } => {
            super::publish::submit(dir, &file, !no_links, format).await
        }
        NoticeCommand::Publish { file, no_links } => {
            super::publish::publish(dir, &file, !no_links, format).await
        }
        NoticeCommand::Withdraw { file, reason } => {
            super::publish::withdraw(dir, &file, &reason, format).await
        }
        NoticeCommand::Audience { file, unreachable: true, clear } => {
            whom::unreachable(dir, &file, &clear, format).await
        }
        NoticeCommand::Audience { file, .. } => whom::audience(dir, &file, format).await,
        NoticeCommand::Send(args) => send::send(dir, args, format).await,
        NoticeCommand::Deliveries { file, settle, message } => {
            deliveries::deliveries(dir, &file, settle, message.as_deref(), format).await
        }
        NoticeCommand::Bounces { from } => bounces::bounces(dir, &from, format).await,
    }
}

fn draft(dir: &Path, id: &str, lang: &str, dates: &NoticeDates) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let is_plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_plain {
        return Err(Failure::usage("this is no name for a notice", "letters, digits and hyphens: 2026-move"));
    }
    let lang = Lang::from_word(lang).ok_or_else(|| {
        Failure::usage("drafts are written in `en` and `es`", "draft in one and translate it")
    })?;
    let facts = Facts::of(&plan.plan, said(dates));
    let notice = dunlin_tell::draft(&plan.plan, &facts, id, lang)
        .map_err(|e| Failure::usage(e.to_string(), "`--lang en` or `--lang es`"))?;
    let path = dir.join(FOLDER).join(format!("{id}.{lang}.md"));
    if path.exists() {
        let message = format!("{} is there already", path.display());
        return Err(Failure::usage(message, "remove it first, or draft under another name"));
    }
    std::fs::create_dir_all(dir.join(FOLDER)).map_err(|e| Failure::file(&path, &e))?;
    std::fs::write(&path, dunlin_tell::print(&notice)).map_err(|e| Failure::file(&path, &e))?;
    output::line(&path.display().to_string());
    output::note("Read it, answer what it asks, then `dunlin notice check`.");
    Ok(OK)
}

fn check(dir: &Path, files: &[PathBuf], dates: &NoticeDates, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let files = if files.is_empty() { all(dir)? } else { files.to_vec() };
    if files.is_empty() {
        let message = format!("there is no notice in {}", dir.join(FOLDER).display());
        return Err(Failure::usage(message, "`dunlin notice draft 2026-move` writes a first one"));
    }
    let mut failed = false;
    for file in &files {
        let source = match read(file)? {
            Ok(source) => source,
            Err(findings) => {
                output::findings(&findings, format);
                failed = true;
                continue;
            }
        };
        let facts = Facts::of(&plan.plan, said(dates).or_claimed(source.notice.claims.as_ref()));
        let images = Workspace(dir);
        let gate = Gate { images: Some(&images), ..Gate::new(&facts) };
        let findings = gate.check(&source);
        let held = any_error(&findings.items);
        output::findings(&findings, format);
        if format == Format::Text {
            let word = if held { "must not be published like this" } else { "may be published" };
            output::line(&format!("{}: {word}", file.display()));
        }
        failed |= held;
    }
    Ok(if failed { NOT_RIGHT } else { OK })
}

fn preview(dir: &Path, file: &Path, out: &Path) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let notice = read(file)??.notice;
    let company = plan.plan.company.as_ref().map_or("", |company| company.name.as_str());
    let contact = plan.plan.company.as_ref().and_then(|company| company.contact.as_deref());
    let here = |part: &str| format!("#{part}");
    let actions = Actions {
        read: here("read"),
        settings: here("settings"),
        download: here("download"),
        delete: here("delete"),
        ask: contact.map_or_else(|| here("ask"), |contact| format!("mailto:{contact}")),
    };
    let defect =
        |_| Failure::usage("the notice could not be drawn", "this is a defect of dunlin: please report it");
    std::fs::create_dir_all(out).map_err(|e| Failure::file(out, &e))?;
    let write = |name: &str, text: &str| {
        let path = out.join(name);
        std::fs::write(&path, text).map_err(|e| Failure::file(&path, &e))?;
        output::line(&path.display().to_string());
        Ok::<(), Failure>(())
    };
    let shown = page(&notice, company, &actions, "images/").map_err(defect)?;
    let head = "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">";
    let csp = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src 'self'\">";
    let html = format!(
        "<!doctype html><html lang=\"{}\"><head>{head}{csp}<title>{}</title><style>{NOTICE_CSS}</style></head><body>{}</body></html>",
        shown.lang,
        crate::report::text::escape(&shown.title),
        shown.html
    );
    write("page.html", &html)?;
    for (number, message) in notice.messages.iter().enumerate() {
        let mail = mail(&notice, message, company, contact, &actions, None).map_err(defect)?;
        write(&format!("mail-{}.html", number + 1), &mail.html)?;
        write(&format!("mail-{}.txt", number + 1), &format!("Subject: {}\n\n{}", mail.subject, mail.text))?;
    }
    Ok(OK)
}

fn diff(old: &Path, new: &Path) -> Result<u8, Failure> {
    let (old, new) = (read(old)??.notice, read(new)??.notice);
    output::line(dunlin_tell::diff::to_text(&dunlin_tell::diff::changes(&old, &new), &new).trim_end());
    Ok(OK)
}

type Read = Result<NoticeSource, dunlin_plan::Findings>;

fn read(file: &Path) -> Result<Read, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::file(file, &e))?;
    Ok(dunlin_tell::parse(&text, &file.display().to_string()))
}

/// The notices of the workspace, in the order of their names.
fn all(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = dir.join(FOLDER);
    let mut found = Vec::new();
    match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::file(&folder, &error)),
        Ok(entries) => {
            for entry in entries {
                let path = entry.map_err(|e| Failure::file(&folder, &e))?.path();
                if path.extension().is_some_and(|extension| extension == "md") {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

fn said(dates: &NoticeDates) -> Dates {
    Dates { begins: dates.begins, ends: dates.ends, old_copy_until: dates.old_copy_until }
}

/// Images are files beside the plan.
struct Workspace<'a>(&'a Path);

impl Images for Workspace<'_> {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }
}
