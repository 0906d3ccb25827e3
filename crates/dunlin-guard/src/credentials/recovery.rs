//! Recovery codes: ten, shown once, each good for one sign-in. 16 characters from 30 are 78 bits, so a keyed hash
//! keeps them; a slow one would add nothing.

use dunlin_store::{Purpose, Tx};
use sqlx::Row;

use crate::error::db;
use crate::session::credential_changed;
use crate::token::{Secret, fold_code, keyed_hash, typed_code};
use crate::{Guard, GuardError, Moment, Who};

/// How many a person gets.
const CODES: usize = 10;

impl Guard {
    /// Makes new recovery codes; the old ones are void. Needs a second factor to be there.
    pub async fn new_recovery_codes(&self, who: &Who) -> Result<Vec<Secret>, GuardError> {
        self.need_session(who)?;
        who.need_fresh_factor(self.settings().lifetimes.fresh_factor_s)?;
        let codes: Vec<Secret> = (0..CODES).map(|_| typed_code(4)).collect::<Result<_, _>>()?;
        let key_id = self.keys().key_id(Purpose::Credential)?;
        let (mut tx, now) = self.change().await?;
        let failed = db("keeping recovery codes");
        sqlx::query("delete from recovery_codes where person = $1")
            .bind(&who.person)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        for code in &codes {
            sqlx::query(
                "insert into recovery_codes (person, hash, key_id, created_at) values ($1, $2, $3, $4)",
            )
            .bind(&who.person)
            .bind(self.code_hash(&key_id, &who.person, &fold_code(code.expose()))?)
            .bind(&key_id)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        }
        credential_changed(&mut tx, now, &who.actor(), &who.person, "recovery_codes", "added").await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Whether a recovery code is right and unused; uses it up.
    pub(crate) async fn use_recovery_code(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &str,
        code: &str,
    ) -> Result<bool, GuardError> {
        let failed = db("using a recovery code");
        let keys =
            sqlx::query("select distinct key_id from recovery_codes where person = $1 and used_at is null")
                .bind(person)
                .fetch_all(tx.connection())
                .await
                .map_err(&failed)?;
        for row in keys {
            let key_id: String = row.try_get(0).map_err(&failed)?;
            let hash = self.code_hash(&key_id, person, code)?;
            let done = sqlx::query(
                "update recovery_codes set used_at = $3 where person = $1 and hash = $2 and used_at is null",
            )
            .bind(person)
            .bind(hash)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
            if done.rows_affected() == 1 {
                let by = dunlin_ledger::Actor::Person { id: person.to_owned() };
                credential_changed(tx, now, &by, person, "recovery_codes", "used").await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn code_hash(&self, key_id: &str, person: &str, folded: &str) -> Result<String, GuardError> {
        let key = self.keys().key_by_id(Purpose::Credential, key_id)?;
        Ok(keyed_hash(&key, &[b"recovery", person.as_bytes(), folded.as_bytes()]).to_hex().to_string())
    }
}
