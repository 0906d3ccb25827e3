//! The policies as they stand: dunlin's own and those of the workspace, parsed, held against the schema, merged.
//!
//! Not here: questions to them, which are in `authority` and `view`.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;
use sha2::{Digest, Sha256};

use super::PolicyError;

pub(super) const SCHEMA: &str = include_str!("cedar/schema.cedarschema");
/// dunlin's own, by file.
const DEFAULTS: [(&str, &str); 3] = [
    ("always.cedar", include_str!("cedar/always.cedar")),
    ("data.cedar", include_str!("cedar/data.cedar")),
    ("api.cedar", include_str!("cedar/api.cedar")),
];
/// What begins so cannot be replaced by a workspace.
const LOCKED: &str = "always.";
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A policy in plain words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sentence {
    /// The policy's id.
    pub id: String,
    /// Whether it allows; otherwise it forbids, whatever others allow.
    pub allows: bool,
    /// What it says.
    pub says: String,
    /// The file that it stands in; dunlin's own are `built in`.
    pub file: String,
    /// The policy itself.
    pub text: String,
}

/// A set of policies that is known to fit the schema.
pub(super) struct Policies {
    set: PolicySet,
    schema: Schema,
    /// The actions and their groups, which every question needs.
    actions: Entities,
    sentences: BTreeMap<String, Sentence>,
    fingerprint: String,
}

/// What the policies say to one question.
pub(super) struct Answer {
    pub(super) allowed: bool,
    /// The ids of the policies that decided: those that forbid, else those that allow. Sorted.
    pub(super) by: Vec<String>,
    /// A policy could not be evaluated, or the question was not one. Never allowed then.
    pub(super) failed: bool,
}

/// One policy on its way into the set.
struct Read {
    policy: Policy,
    id: String,
    file: String,
}

impl Policies {
    /// dunlin's own and the `.cedar` files of this folder, if there is one.
    pub(super) fn load(folder: Option<&Path>) -> Result<Policies, PolicyError> {
        let mut read = Vec::new();
        for (file, text) in DEFAULTS {
            read.extend(parse("built in", text).map_err(|e| PolicyError { file: file.to_owned(), ..e })?);
        }
        let built_in: HashSet<String> = read.iter().map(|r| r.id.clone()).collect();
        let files = folder.map(texts).transpose()?.unwrap_or_default();
        let mut own = HashSet::new();
        for (file, text) in &files {
            for mut one in parse(file, text)? {
                let line = line_of_policy(text, &one.policy);
                if one.id.starts_with(LOCKED) {
                    let message = format!("`{}` holds in every workspace and cannot be replaced", one.id);
                    return Err(PolicyError::new(file, line, message, "give your policy another @id"));
                }
                if !own.insert(one.id.clone()) {
                    let message = format!("there are two policies with @id(\"{}\")", one.id);
                    return Err(PolicyError::new(file, line, message, "give one of them another @id"));
                }
                if built_in.contains(&one.id) {
                    read.retain(|r| r.id != one.id);
                }
                one.file = file.clone();
                read.push(one);
            }
        }
        Policies::of(read, &files)
    }

    fn of(read: Vec<Read>, files: &[(String, String)]) -> Result<Policies, PolicyError> {
        let internal =
            |message: String| PolicyError::new("built in", None, message, "this is an error of dunlin");
        let (schema, _) =
            Schema::from_cedarschema_str(SCHEMA).map_err(|e| internal(format!("the schema: {e}")))?;
        let actions = schema.action_entities().map_err(|e| internal(format!("the actions: {e}")))?;
        let mut set = PolicySet::new();
        let mut sentences = BTreeMap::new();
        let mut hash = Sha256::new();
        for one in &read {
            let policy = one.policy.new_id(PolicyId::new(&one.id));
            let text = policy.to_string();
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
            let sentence = Sentence {
                id: one.id.clone(),
                allows: policy.effect() == Effect::Permit,
                says: policy.annotation("says").unwrap_or_default().to_owned(),
                file: one.file.clone(),
                text,
            };
            sentences.insert(one.id.clone(), sentence);
            set.add(policy).map_err(|e| internal(format!("{}: {e}", one.id)))?;
        }
        validate(&schema, &set, &read, files)?;
        Ok(Policies { set, schema, actions, sentences, fingerprint: hex::encode(hash.finalize()) })
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn sentences(&self) -> Vec<Sentence> {
        self.sentences.values().cloned().collect()
    }

    /// What a policy says in plain words.
    pub(super) fn says(&self, id: &str) -> &str {
        self.sentences.get(id).map_or("", |s| s.says.as_str())
    }

    /// Asks. Whatever goes wrong is a no: a policy that fails could be one that forbids.
    pub(super) fn ask(
        &self,
        principal: &EntityUid,
        action: &str,
        resource: &EntityUid,
        entities: Vec<Entity>,
        context: Vec<(String, RestrictedExpression)>,
    ) -> Answer {
        let failed = Answer { allowed: false, by: Vec::new(), failed: true };
        let action = uid("Action", action);
        let Ok(context) = Context::from_pairs(context) else { return failed };
        let Ok(request) =
            Request::new(principal.clone(), action, resource.clone(), context, Some(&self.schema))
        else {
            return failed;
        };
        let Ok(entities) = self.actions.clone().add_entities(entities, Some(&self.schema)) else {
            return failed;
        };
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let mut by: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        by.sort();
        let errors = response.diagnostics().errors().next().is_some();
        let allowed = response.decision() == cedar_policy::Decision::Allow && !errors;
        Answer { allowed, by, failed: errors }
    }
}

/// An entity's name.
pub(super) fn uid(kind: &str, id: &str) -> EntityUid {
    #[expect(
        clippy::expect_used,
        reason = "the kinds are the words of this file's callers, all of them names"
    )]
    let kind = EntityTypeName::from_str(kind).expect("a kind of entity is a name");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

/// The files of a folder, by name. A folder that is not there has none.
fn texts(folder: &Path) -> Result<Vec<(String, String)>, PolicyError> {
    let failed = |file: &str, e: std::io::Error| {
        PolicyError::new(
            file,
            None,
            format!("it could not be read: {}", e.kind()),
            "make it readable, or take it away",
        )
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed("policies", e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| failed("policies", e))?.path();
        if path.extension().is_none_or(|e| e != "cedar") {
            continue;
        }
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("policies/{name}");
        let size = std::fs::metadata(&path).map_err(|e| failed(&name, e))?.len();
        if size > FILE_BYTES_MAX {
            return Err(PolicyError::new(
                &name,
                None,
                "it is larger than 1 MB",
                "split it into several files",
            ));
        }
        files.push((name.clone(), std::fs::read_to_string(&path).map_err(|e| failed(&name, e))?));
    }
    files.sort();
    Ok(files)
}

fn parse(file: &str, text: &str) -> Result<Vec<Read>, PolicyError> {
    let set = PolicySet::from_str(text).map_err(|e| {
        let help = "see the Cedar policy language; each policy is `@id(…) @says(…) permit (…) when { … };`";
        PolicyError::new(file, line_of(&e, text), format!("it is not a policy: {e}"), help)
    })?;
    if let Some(template) = set.templates().next() {
        let message = format!("`{}` is a template with slots", template.id());
        return Err(PolicyError::new(file, None, message, "write `principal` and `resource` without `?`"));
    }
    let mut policies: Vec<Policy> = set.policies().cloned().collect();
    policies.sort_by_key(number);
    let mut read = Vec::new();
    for policy in policies {
        let line = line_of_policy(text, &policy);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
        let id = policy.annotation("id").unwrap_or_default().to_owned();
        if !(1..=48).contains(&id.len()) || !id.chars().all(plain) {
            let help = "write @id(\"…\") above it: 1 to 48 characters of a-z 0-9 _ . -";
            return Err(PolicyError::new(file, line, "a policy has no id that can be used", help));
        }
        if policy.annotation("says").is_none_or(|s| s.trim().is_empty()) {
            let message = format!("`{id}` does not say in words what it does");
            return Err(PolicyError::new(
                file,
                line,
                message,
                "write @says(\"…\") above it: people are shown that",
            ));
        }
        read.push(Read { policy, id, file: file.to_owned() });
    }
    Ok(read)
}

fn validate(
    schema: &Schema,
    set: &PolicySet,
    read: &[Read],
    files: &[(String, String)],
) -> Result<(), PolicyError> {
    let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let help = "it must fit dunlin's schema: `GET /api/v1/policy` shows it, and docs/policies.md";
    let told = |id: &PolicyId, error: &dyn Diagnostic| {
        let file = read.iter().find(|r| r.id == id.to_string()).map_or("built in", |r| r.file.as_str());
        let line = files.iter().find(|(name, _)| name == file).and_then(|(_, text)| line_of(error, text));
        PolicyError::new(file, line, error.to_string(), help)
    };
    if let Some(error) = result.validation_errors().next() {
        return Err(told(error.policy_id(), error));
    }
    // A warning says that a policy can never act, or reads otherwise than it looks: here that is an error too.
    match result.validation_warnings().next() {
        Some(warning) => Err(told(warning.policy_id(), warning)),
        None => Ok(()),
    }
}

/// Policies of a file are numbered by the parser in their order.
fn number(policy: &Policy) -> usize {
    policy.id().to_string().trim_start_matches("policy").parse().unwrap_or(usize::MAX)
}

fn line_of_policy(text: &str, policy: &Policy) -> Option<usize> {
    let head = |line: &str| line.starts_with("permit") || line.starts_with("forbid");
    text.lines().enumerate().filter(|(_, l)| head(l.trim_start())).nth(number(policy)).map(|(at, _)| at + 1)
}

/// The line of the first place that an error names.
fn line_of<E: Diagnostic + ?Sized>(error: &E, text: &str) -> Option<usize> {
    let offset = error.labels()?.next()?.offset().min(text.len());
    Some(text.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count() + 1)
}
