//! Asks the policies about the API's actions, and keeps them in step with the files of the workspace.
//!
//! Not here: customer data (`view`), and who asks (`session`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::RestrictedExpression;
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{State, now_us};

use super::facts::Facts;
use super::policies::{Policies, Sentence};
use super::{Action, PolicyError, Resource, Verdict};
use crate::{GuardError, Who};

const SETTING: &str = "policy_fingerprint";

/// The policies in force. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Authority {
    folder: Option<Arc<PathBuf>>,
    policies: Arc<RwLock<Arc<Policies>>>,
}

impl Authority {
    /// dunlin's own policies alone.
    pub fn built_in() -> Result<Authority, PolicyError> {
        let policies = Arc::new(Policies::load(None)?);
        Ok(Authority { folder: None, policies: Arc::new(RwLock::new(policies)) })
    }

    /// dunlin's own and those of a workspace: the `.cedar` files of its folder `policies`, where a policy with the
    /// `@id` of a built-in one replaces it, unless that begins with `always.`.
    ///
    /// Fails with file and line when one does not fit the schema: a workspace with such a file is not served.
    pub fn load(workspace: &Path) -> Result<Authority, PolicyError> {
        let folder = workspace.join("policies");
        let policies = Arc::new(Policies::load(Some(&folder))?);
        Ok(Authority { folder: Some(Arc::new(folder)), policies: Arc::new(RwLock::new(policies)) })
    }

    /// Reads the files again. Whether they have changed; when they cannot be used, what was in force stays.
    pub fn reload(&self) -> Result<bool, PolicyError> {
        let fresh = Arc::new(Policies::load(self.folder.as_deref().map(PathBuf::as_path))?);
        let mut held = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        let changed = held.fingerprint() != fresh.fingerprint();
        *held = fresh;
        Ok(changed)
    }

    /// Enters `policy_changed` when the policies in force are not those that the ledger last named; those that dunlin
    /// brings are no change for a new workspace. Call it at the start and after each [`Authority::reload`].
    pub async fn record(&self, state: &State, actor: &Actor) -> Result<bool, GuardError> {
        let fingerprint = self.fingerprint();
        let mut tx = state.begin().await?;
        let known = tx.setting(SETTING).await?;
        if known.as_deref() == Some(&fingerprint) {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.set_setting(SETTING, &fingerprint).await?;
        let is_own = || Authority::built_in().is_ok_and(|own| own.fingerprint() == fingerprint);
        if known.is_none() && is_own() {
            tx.commit().await?;
            return Ok(false);
        }
        let body = Body::PolicyChanged { fingerprint };
        tx.enter(Entry { at: now_us(), actor: actor.clone(), body }).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// SHA-256 (hex) of the policies in force.
    pub fn fingerprint(&self) -> String {
        self.policies().fingerprint().to_owned()
    }

    /// The policies in plain words, by id.
    pub fn sentences(&self) -> Vec<Sentence> {
        self.policies().sentences()
    }

    /// The schema that policies are held against, as Cedar writes it.
    pub fn schema(&self) -> &'static str {
        super::policies::SCHEMA
    }

    pub(super) fn policies(&self) -> Arc<Policies> {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// May this caller do this?
    pub fn may(&self, who: &Who, action: Action, resource: &Resource) -> Verdict {
        if !resource.fits(action.subject()) {
            return Verdict::no("wrong_resource", "This action is not done to that.");
        }
        let facts = Facts::of_who(who);
        let mut entities = facts.entities();
        let (uid, more) = resource.entities(&facts);
        entities.extend(more);
        let scoped = who.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|s| action.in_scope(s)));
        let text = |s: &str| RestrictedExpression::new_string(s.to_owned());
        let mut context = vec![
            ("stage".to_owned(), text(who.stage.as_str())),
            ("scoped".to_owned(), RestrictedExpression::new_bool(scoped)),
            ("network".to_owned(), text(who.network.as_str())),
        ];
        if let Some(age) = who.mfa_age_s {
            let age = RestrictedExpression::new_long(i64::try_from(age).unwrap_or(i64::MAX));
            context.push(("mfa_age_s".to_owned(), age));
        }
        let policies = self.policies();
        let answer = policies.ask(&facts.uid(), action.code(), &uid, entities, context);
        match answer.by.first() {
            _ if answer.failed => Verdict::no(
                "policy_failed",
                "A policy could not be evaluated, so nothing is allowed; tell an owner.",
            ),
            Some(id) if answer.allowed => Verdict::yes(id, policies.says(id)),
            Some(id) => Verdict::no(id, policies.says(id)),
            None => {
                let sentence =
                    format!("No policy lets a person with the role `{}` do this; ask an owner.", who.role);
                Verdict::no("no_policy", sentence)
            }
        }
    }
}
