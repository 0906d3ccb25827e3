//! Second factors as such: which there are, showing a code, who may change them.

use crate::error::db;
use crate::limit::{Attempt, Gate, Settled};
use crate::session::read_factors;
use crate::token::{Secret, fold_code};
use crate::{Factors, Guard, GuardError, Origin, SignedIn, Stage, Who};

impl Factors {
    /// Whether there is a second factor; recovery codes alone are none.
    pub fn any(&self) -> bool {
        self.totp || self.passkeys > 0
    }
}

impl Guard {
    /// The second factors that a person has.
    pub async fn factors(&self, person: &str) -> Result<Factors, GuardError> {
        let mut connection = self.state().pool().acquire().await.map_err(db("reading second factors"))?;
        read_factors(&mut connection, person).await
    }

    /// Shows a second factor: the code of the app, or a recovery code. Finishes a sign-in, or makes the factor of a
    /// full session fresh. The session gets a new token.
    pub async fn show_code(&self, who: &Who, origin: &Origin, code: &Secret) -> Result<SignedIn, GuardError> {
        self.need_session(who)?;
        if who.stage == Stage::Enrol {
            return Err(GuardError::EnrolmentNeeded);
        }
        let folded = fold_code(code.expose());
        let credential = if folded.len() > 8 { "recovery_code" } else { "totp" };
        let attempt = Attempt {
            account: self.account_of(&who.email)?,
            person: Some(&who.person),
            credential,
            origin,
            guess: None,
        };
        // Checking a code takes microseconds, so that place, check and outcome are one transaction: nobody gets
        // between them.
        let (mut tx, now) = self.change().await?;
        let reserved = self.reserve(&mut tx, now, &attempt).await?;
        if let Gate::Throttled(retry_after_s) = reserved.gate {
            tx.commit().await?;
            return Err(GuardError::Throttled { retry_after_s });
        }
        let right = reserved.gate == Gate::Go
            && match credential {
                "totp" => self.use_totp(&mut tx, now, &who.person, &folded).await?,
                _ => self.use_recovery_code(&mut tx, now, &who.person, &folded).await?,
            };
        if !right {
            self.settle(&mut tx, now, &attempt, &reserved, Settled::Refused("second_factor")).await?;
            tx.commit().await?;
            return Err(GuardError::FactorRefused);
        }
        self.settle(&mut tx, now, &attempt, &reserved, Settled::Accepted).await?;
        let signed_in = self.raise_session(&mut tx, now, who, origin, credential).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Who may change second factors: a session that has just come in to set up its first one, or a full one that
    /// has shown its factor a short time ago. Never one whose second factor is still missing.
    pub(crate) async fn may_change_factors(&self, who: &Who) -> Result<(), GuardError> {
        self.need_session(who)?;
        match who.stage {
            Stage::SecondFactor => Err(GuardError::SecondFactorNeeded),
            _ if !self.factors(&who.person).await?.any() => Ok(()),
            Stage::Enrol => Err(GuardError::SecondFactorNeeded),
            Stage::Full => who.need_fresh_factor(self.settings().lifetimes.fresh_factor_s),
        }
    }
}
