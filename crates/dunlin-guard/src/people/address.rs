//! Another e-mail address for a person. Not the person's own doing: who may use an account must not be able to carry it
//! off to an address of their choice.

use dunlin_ledger::Actor;

use crate::error::db;
use crate::people::{fold_email, person_in_tx};
use crate::session::{Ends, credential_changed, end};
use crate::token::new_token;
use crate::{Guard, GuardError, Mail, Person, Status};

impl Guard {
    /// Gives a person another address. It is unverified until a link that goes there is used, so the account is nobody
    /// of the plan until then; sessions end, links that went to the old address are void, and that address is told.
    ///
    /// # Errors
    /// The text is no address, or another account has it.
    pub async fn change_email(&self, by: &Actor, person: &str, email: &str) -> Result<(), GuardError> {
        let email = fold_email(email)?;
        let token = new_token()?;
        let (mut tx, now) = self.change().await?;
        let was = person_in_tx(&mut tx, person).await?;
        if was.email == email {
            return Ok(());
        }
        let failed = db("changing an address");
        let taken: Option<String> = sqlx::query_scalar("select id from people where email = $1")
            .bind(&email)
            .fetch_optional(tx.connection())
            .await
            .map_err(&failed)?;
        if taken.is_some() {
            return Err(GuardError::Taken("account with this address"));
        }
        sqlx::query("update people set email = $2, email_verified_at = null where id = $1")
            .bind(person)
            .bind(&email)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        sqlx::query("update links set spent_at = $2 where person = $1 and spent_at is null")
            .bind(person)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        end(&mut tx, now, by, Ends::AllOf { person, keep: None }, "address_changed").await?;
        credential_changed(&mut tx, now, by, person, "email", "changed").await?;
        let is = Person { email, ..was.clone() };
        let sent = is.status == Status::Active && self.put_link(&mut tx, now, &is, "recover", &token).await?;
        tx.commit().await?;
        if was.email_verified_at.is_some() {
            self.tell_old_address(was);
        }
        if sent {
            self.mail_link(is, "recover", &token);
        }
        Ok(())
    }

    /// Says nothing of the new address: the old mailbox may be somebody else's by now.
    fn tell_old_address(&self, was: Person) {
        let text = format!(
            "{},\n\nan owner has given your account another address, so this is the last mail that comes here. \
             If you did not expect that, tell whoever runs dunlin.\n",
            was.name
        );
        self.send(Mail {
            to: was.email,
            subject: "Your account for dunlin has another address".to_owned(),
            text,
        });
    }
}
