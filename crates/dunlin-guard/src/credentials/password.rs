//! Setting and changing passwords.
//!
//! The rules are NIST SP 800-63B's in spirit: length and strength by guessing, no recipe of character kinds, no
//! forced change, and none that is known to have leaked.

use dunlin_ledger::Actor;
use dunlin_store::Tx;
use zeroize::Zeroizing;
use zxcvbn::Score;

use crate::error::db;
use crate::session::{Ends, PASSWORD_MAX, credential_changed, end};
use crate::token::Secret;
use crate::{Guard, GuardError, Moment, Origin, SignedIn, Who};

/// The fewest characters of a password.
const PASSWORD_MIN: usize = 12;

impl Guard {
    /// Refuses a password that is too short, too easy, or known to have leaked. `own` are words that belong to the
    /// person: the name, the address.
    pub(crate) async fn check_password(&self, password: &Secret, own: &[&str]) -> Result<(), GuardError> {
        let text = password.expose();
        if text.chars().count() < PASSWORD_MIN {
            return Err(GuardError::WeakPassword("use 12 characters or more; a few words do well"));
        }
        if text.len() > PASSWORD_MAX {
            return Err(GuardError::WeakPassword("use at most 1024 bytes"));
        }
        let own: Vec<String> = own
            .iter()
            .flat_map(|words| words.split(|c: char| !c.is_alphanumeric()))
            .chain(["dunlin"])
            .filter(|word| word.len() > 2)
            .map(str::to_lowercase)
            .collect();
        let copy = password.clone();
        let score = tokio::task::spawn_blocking(move || {
            // Its time grows with the length; what follows the first hundred characters only makes it stronger.
            let start = Zeroizing::new(copy.expose().chars().take(100).collect::<String>());
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            zxcvbn::zxcvbn(&without(&start, &own), &own).score()
        });
        let score = score.await.map_err(|_| GuardError::Internal("judging a password"))?;
        if score < Score::Three {
            return Err(GuardError::WeakPassword("use more words, or words that have less to do with you"));
        }
        match self.breached() {
            Some(list) if list.has(password).await? => {
                Err(GuardError::WeakPassword("it is in a list of passwords that have leaked; use another"))
            }
            _ => Ok(()),
        }
    }

    /// Changes one's own password: asks for the present one (where there is one), ends all other sessions, opens
    /// what was locked, and gives this session a new token.
    pub async fn change_password(
        &self,
        who: &Who,
        origin: &Origin,
        present: &Secret,
        new: &Secret,
    ) -> Result<SignedIn, GuardError> {
        who.need_full()?;
        self.need_session(who)?;
        if self.factors(&who.person).await?.any() {
            who.need_fresh_factor(self.settings().lifetimes.fresh_factor_s)?;
        }
        self.check_password(new, &[&who.name, &who.email]).await?;
        self.confirm_password(who, origin, present).await?;
        let hash = self.pool().hash(new).await?;
        let (mut tx, now) = self.change().await?;
        self.put_hash(&mut tx, &who.person, &hash, Some((now, &who.actor()))).await?;
        self.open_locks(&mut tx, now, &who.actor(), &who.person, "password_changed").await?;
        let others = Ends::AllOf { person: &who.person, keep: Some(who.via.id()) };
        end(&mut tx, now, &who.actor(), others, "password_changed").await?;
        let signed_in = self.renew_session(&mut tx, who).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Asks a signed-in person for the password once more, within the limits of a sign-in. Passes where there is
    /// none.
    async fn confirm_password(&self, who: &Who, origin: &Origin, present: &Secret) -> Result<(), GuardError> {
        use crate::limit::{Attempt, Gate, Settled};
        let attempt = Attempt {
            account: self.account_of(&who.email)?,
            person: Some(&who.person),
            credential: "password",
            origin,
            guess: Some(present),
        };
        let (mut tx, now) = self.change().await?;
        let stored: Option<String> = sqlx::query_scalar("select hash from passwords where person = $1")
            .bind(&who.person)
            .fetch_optional(tx.connection())
            .await
            .map_err(db("reading a password"))?;
        let Some(stored) = stored else { return Ok(()) };
        let reserved = self.reserve(&mut tx, now, &attempt).await?;
        tx.commit().await?;
        if let Gate::Throttled(retry_after_s) = reserved.gate {
            return Err(GuardError::Throttled { retry_after_s });
        }
        let usable = (reserved.gate == Gate::Go).then_some(stored.as_str());
        let verified = self.pool().verify(present, usable).await;
        let how = match &verified {
            Ok(v) if v.right => Settled::Accepted,
            Ok(_) => Settled::Refused("wrong"),
            Err(_) => Settled::Abandoned,
        };
        let (mut tx, now) = self.change().await?;
        self.settle(&mut tx, now, &attempt, &reserved, how).await?;
        tx.commit().await?;
        if verified?.right { Ok(()) } else { Err(GuardError::SignInRefused) }
    }

    /// Keeps a password's hash. Entered as a change, unless it is the same password hashed anew.
    pub(crate) async fn put_hash(
        &self,
        tx: &mut Tx,
        person: &str,
        hash: &str,
        changed: Option<(Moment, &Actor)>,
    ) -> Result<(), GuardError> {
        sqlx::query(
            "insert into passwords (person, hash, changed_at) values ($1, $2, $3) on conflict (person) do update \
             set hash = $2, changed_at = case when $4 = 1 then $3 else passwords.changed_at end",
        )
        .bind(person)
        .bind(hash)
        .bind(self.now().wall)
        .bind(i64::from(changed.is_some()))
        .execute(tx.connection())
        .await
        .map_err(db("keeping a password"))?;
        match changed {
            Some((now, by)) => credential_changed(tx, now, by, person, "password", "set").await,
            None => Ok(()),
        }
    }

    /// Refuses what only a person at a browser may do.
    pub(crate) fn need_session(&self, who: &Who) -> Result<(), GuardError> {
        match who.via {
            crate::Via::Session(_) => Ok(()),
            crate::Via::Token(_) => Err(GuardError::NotSignedIn),
        }
    }
}

/// A password without the words that belong to its owner: whoever guesses at a person tries those first, and joined
/// by a space they would count as strong. One that has none of them stays as it is.
fn without(password: &str, own: &[&str]) -> Zeroizing<String> {
    let folded = Zeroizing::new(password.to_lowercase());
    if !own.iter().any(|word| folded.contains(word)) {
        return Zeroizing::new(password.to_owned());
    }
    let mut longest_first = own.to_vec();
    longest_first.sort_by_key(|word| std::cmp::Reverse(word.len()));
    longest_first.iter().fold(folded, |rest, word| Zeroizing::new(rest.replace(word, "")))
}
