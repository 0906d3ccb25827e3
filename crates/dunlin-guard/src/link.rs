//! Links by e-mail: a new password for who has forgotten it, and a way out of a lock. 32 random bytes, kept hashed,
//! 15 minutes, spent by a POST (mail scanners fetch GETs), and the same answer for addresses that nobody has.

use dunlin_ledger::Actor;
use dunlin_store::Tx;

use crate::clock::seconds;
use crate::error::db;
use crate::limit::Counter;
use crate::people::person_in_tx;
use crate::session::{Ends, How, credential_changed, end};
use crate::token::{Secret, new_token, token_hash};
use crate::{Guard, GuardError, Mail, Moment, Origin, Person, SignedIn, Status};

/// A recovery link that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// The address it was sent to.
    pub email: String,
    /// The name.
    pub name: String,
}

impl Guard {
    /// Mails a link by which a person sets a new password. The answer does not tell whether there is such a person:
    /// both cases write once, and the mail goes out afterwards.
    pub async fn request_recovery(&self, origin: &Origin, email: &str) -> Result<(), GuardError> {
        let person = self.person_by_email(email).await?;
        let token = new_token()?;
        let (mut tx, now) = self.change().await?;
        self.take_link_turn(&mut tx, now, origin).await?;
        let person = person.filter(|p| p.status == Status::Active && self.may_come_in(p, now).is_ok());
        let sent = match &person {
            Some(person) => self.put_link(&mut tx, now, person, "recover", &token).await?,
            None => false,
        };
        tx.commit().await?;
        if let (true, Some(person)) = (sent, person) {
            self.mail_link(person, "recover", &token);
        }
        Ok(())
    }

    /// What a recovery link is for, while it is good. Looking does not spend it.
    pub async fn recovery(&self, token: &Secret) -> Result<LinkInfo, GuardError> {
        let found: Option<(String, String)> = sqlx::query_as(
            "select p.email, p.name from links l join people p on p.id = l.person where l.hash = $1 \
             and l.kind = 'recover' and l.spent_at is null and l.until_late > $2 and p.status = 'active'",
        )
        .bind(token_hash("link", token.expose()))
        .bind(self.now().late)
        .fetch_optional(self.state().pool())
        .await
        .map_err(db("reading a link"))?;
        found.map(|(email, name)| LinkInfo { email, name }).ok_or(GuardError::LinkSpent)
    }

    /// Sets a new password by a link: locks open, all sessions end, and a new one begins, in which the second
    /// factor is still missing where there is one.
    pub async fn recover(
        &self,
        origin: &Origin,
        token: &Secret,
        password: &Secret,
    ) -> Result<SignedIn, GuardError> {
        let info = self.recovery(token).await?;
        self.check_password(password, &[&info.name, &info.email]).await?;
        let hash = self.pool().hash(password).await?;
        let (mut tx, now) = self.change().await?;
        let person = self.spend(&mut tx, now, "recover", token).await?;
        let by = Actor::Person { id: person.id.clone() };
        self.verified_by_link(&mut tx, now, &person).await?;
        self.put_hash(&mut tx, &person.id, &hash, Some((now, &by))).await?;
        self.open_locks(&mut tx, now, &by, &person.id, "recovered").await?;
        end(&mut tx, now, &by, Ends::AllOf { person: &person.id, keep: None }, "recovered").await?;
        let how = How { method: "recovery", two_factors: false };
        let signed_in = self.open_session(&mut tx, now, &person, origin, how).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Opens what is locked, by the link that was mailed when it was locked. Signs nobody in.
    pub async fn unlock_by_link(&self, token: &Secret) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        let person = self.spend(&mut tx, now, "unlock", token).await?;
        let by = Actor::Person { id: person.id.clone() };
        self.open_locks(&mut tx, now, &by, &person.id, "unlocked").await?;
        Ok(tx.commit().await?)
    }

    /// Tells a person that their password was locked for a network, with a way out. In the background: how long
    /// the refusal takes must not tell that there is such a person. Failure is only logged.
    pub(crate) fn mail_unlock(&self, person: &str) {
        let (guard, person) = (self.clone(), person.to_owned());
        tokio::spawn(async move {
            if let Err(error) = guard.tell_of_lock(&person).await {
                tracing::warn!(code = error.code(), "a lock could not be told to its owner");
            }
        });
    }

    async fn tell_of_lock(&self, person: &str) -> Result<(), GuardError> {
        let token = new_token()?;
        let (mut tx, now) = self.change().await?;
        let person = person_in_tx(&mut tx, person).await?;
        let sent =
            person.status == Status::Active && self.put_link(&mut tx, now, &person, "unlock", &token).await?;
        tx.commit().await?;
        if sent {
            self.mail_link(person, "unlock", &token);
        }
        Ok(())
    }

    /// Counts a network's request for something that costs a mail or a row, and refuses too many.
    pub(crate) async fn take_link_turn(
        &self,
        tx: &mut Tx,
        now: Moment,
        origin: &Origin,
    ) -> Result<(), GuardError> {
        let limits = &self.settings().limits;
        let (network, window) = (origin.network(), seconds(limits.link_window_s));
        let was = crate::limit::read_counter(tx, "links", &network, now.served, window).await?;
        let free = limits.monitor_only || limits.allow.iter().any(|net| net.contains(&origin.address));
        if was.failed >= i64::from(limits.links_per_network) && !free {
            let left = window.saturating_sub(now.served.saturating_sub(was.since)).max(0) / 1_000_000;
            return Err(GuardError::Throttled { retry_after_s: u64::try_from(left).unwrap_or(0) + 1 });
        }
        let more = Counter { failed: was.failed + 1, ..was };
        crate::limit::write_counter(tx, "links", &network, more, crate::limit::Owner::default()).await
    }

    /// Keeps a link, unless the person has had enough of them; then nothing is sent, and nobody is told.
    pub(crate) async fn put_link(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &Person,
        kind: &str,
        token: &Secret,
    ) -> Result<bool, GuardError> {
        let limits = &self.settings().limits;
        let name = format!("{kind}|{}", person.id);
        let window = seconds(limits.link_window_s);
        let was = crate::limit::read_counter(tx, "mails", &name, now.served, window).await?;
        if was.failed >= i64::from(limits.links_per_person) {
            return Ok(false);
        }
        let more = Counter { failed: was.failed + 1, ..was };
        crate::limit::write_counter(tx, "mails", &name, more, crate::limit::Owner::default()).await?;
        sqlx::query(
            "insert into links (hash, person, kind, created_at, until_late) values ($1, $2, $3, $4, $5)",
        )
        .bind(token_hash("link", token.expose()))
        .bind(&person.id)
        .bind(kind)
        .bind(now.wall)
        .bind(now.late.saturating_add(seconds(self.settings().lifetimes.link_s)))
        .execute(tx.connection())
        .await
        .map_err(db("keeping a link"))?;
        let change = if kind == "recover" { "asked" } else { "unlock_asked" };
        credential_changed(tx, now, &Actor::System, &person.id, "link", change).await?;
        Ok(true)
    }

    pub(crate) fn mail_link(&self, person: Person, kind: &str, token: &Secret) {
        let Ok(link) = self.link(&format!("/{kind}/{}", token.expose())) else {
            tracing::warn!("`public_url` is not set: a link was not sent");
            return;
        };
        let minutes = self.settings().lifetimes.link_s / 60;
        let (subject, text) = if kind == "recover" {
            let what = "somebody, we hope you, asked for a new password. Set it here:";
            let end = "If it was not you, do nothing: your password stays as it is.";
            (
                "Your new password for dunlin",
                format!("{what}\n\n{link}\n\nThe link works once, for {minutes} minutes. {end}"),
            )
        } else {
            let what = "your password was tried too often from one place and is locked there. If that was you, open it here:";
            let end = "If it was not you, tell whoever runs dunlin, and change your password.";
            (
                "Your password for dunlin is locked",
                format!("{what}\n\n{link}\n\nThe link works once, for {minutes} minutes. {end}"),
            )
        };
        let text = format!("{},\n\n{text}\n", person.name);
        self.send(Mail { to: person.email, subject: subject.to_owned(), text });
    }

    /// Spends a link; says whose it is.
    async fn spend(
        &self,
        tx: &mut Tx,
        now: Moment,
        kind: &str,
        token: &Secret,
    ) -> Result<Person, GuardError> {
        let person: Option<String> = sqlx::query_scalar(
            "update links set spent_at = $3 where hash = $1 and kind = $2 and spent_at is null and until_late > $4 \
             returning person",
        )
        .bind(token_hash("link", token.expose()))
        .bind(kind)
        .bind(now.wall)
        .bind(now.late)
        .fetch_optional(tx.connection())
        .await
        .map_err(db("spending a link"))?;
        let person = person_in_tx(tx, &person.ok_or(GuardError::LinkSpent)?).await?;
        self.may_come_in(&person, now).map_err(|_| GuardError::LinkSpent)?;
        // The others of this kind are void with it.
        sqlx::query("update links set spent_at = $3 where person = $1 and kind = $2 and spent_at is null")
            .bind(&person.id)
            .bind(kind)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(db("spending a link"))?;
        Ok(person)
    }

    /// Who opens a link that was mailed to an address has shown that it is theirs.
    async fn verified_by_link(&self, tx: &mut Tx, now: Moment, person: &Person) -> Result<(), GuardError> {
        sqlx::query("update people set email_verified_at = coalesce(email_verified_at, $2) where id = $1")
            .bind(&person.id)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(db("noting a verified address"))?;
        Ok(())
    }
}
