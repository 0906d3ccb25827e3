//! The guard's parts as `server.toml` asks for them: mail, webhooks, alerts, identity providers.

use std::path::Path;

use dunlin_guard::alerts::{Alerts, AlertsSettings};
use dunlin_guard::audit::LedgerReader;
use dunlin_guard::mail::{OutboxMailer, Post, Smtp, SmtpSettings, SmtpTls};
use dunlin_guard::oidc::{GroupRole, Oidc, ProviderSettings};
use dunlin_guard::outgoing::outbox::Outbox;
use dunlin_guard::outgoing::{AllowList, Allowed, Outgoing, OutgoingSettings, Webhook};
use dunlin_guard::{Guard, Secret};
use dunlin_store::Workspace;

use crate::config::{ConfigError, SecretRef, ServerConfig, SmtpSecurity};
use crate::serve::ServerError;

/// The parts.
pub(crate) struct Parts {
    pub(crate) alerts: Alerts,
    pub(crate) outbox: Outbox,
    pub(crate) post: Post,
    pub(crate) oidc: Oidc,
    pub(crate) customers_oidc: Oidc,
}

/// Makes them, and gives the guard its mailer.
pub(crate) fn parts(
    workspace: &Workspace,
    config: &ServerConfig,
    guard: &Guard,
    reader: LedgerReader,
) -> Result<Parts, ServerError> {
    let client = outgoing(config)?;
    let outbox = Outbox::new(workspace.state().clone(), workspace.keyring());
    guard.set_mailer(std::sync::Arc::new(OutboxMailer::new(workspace.state().clone(), outbox.clone())));
    let smtp = config.smtp.as_ref().map(|smtp| mail_server(config, smtp, &workspace.dir)).transpose()?;
    let webhooks = webhooks(config, &workspace.dir)?;
    let settings = AlertsSettings {
        geoip: config.alerts.geoip.as_ref().map(|path| workspace.dir.join(path)),
        mail_to: config.alerts.email.clone(),
        webhooks: webhooks.iter().map(|webhook| webhook.name.clone()).collect(),
        thresholds: config.alerts.thresholds.clone(),
        mail_from: config.alerts.email_from,
    };
    let alerts = Alerts::new(guard.clone(), reader, outbox.clone(), settings)?;
    let providers = config.oidc.iter().map(|(id, one)| provider(id, one, &workspace.dir));
    let providers = providers.collect::<Result<Vec<_>, ServerError>>()?;
    let oidc = Oidc::new(guard.clone(), client.clone(), providers)?;
    let customers =
        config.tell.oidc.as_ref().map(|one| customers_provider(one, &workspace.dir)).transpose()?;
    let customers_oidc = Oidc::for_customers(guard.clone(), client.clone(), customers)?;
    Ok(Parts { alerts, outbox, post: Post { smtp, webhooks, client }, oidc, customers_oidc })
}

fn secret(secret: &SecretRef, dir: &Path) -> Result<Secret, ServerError> {
    Ok(Secret::new(secret.read(dir).map_err(ConfigError::from)?))
}

/// The one client for what dunlin calls, as `server.toml` allows it.
///
/// # Errors
/// `server.toml` names hosts or authorities that are none.
pub fn outgoing(config: &ServerConfig) -> Result<Outgoing, ServerError> {
    let allow = config.alerts.allow_private_hosts.iter().map(|host| {
        let help = "a host, a network, or either with `:port`";
        host.parse::<Allowed>().map_err(|()| {
            ServerError::Setup(format!("`allow_private_hosts` names what is none: give {help}"))
        })
    });
    let allow = AllowList(allow.collect::<Result<_, _>>()?);
    Outgoing::new(OutgoingSettings { allow, authorities: authorities(config)? })
        .map_err(|e| ServerError::Setup(e.to_string()))
}

/// The certificate authorities beside the public web's.
fn authorities(config: &ServerConfig) -> Result<Option<String>, ServerError> {
    let read = |file: &std::path::PathBuf| {
        std::fs::read_to_string(file).map_err(|error| {
            let why = error.kind();
            ServerError::Setup(format!("`authorities`: {} cannot be read: {why}", file.display()))
        })
    };
    config.authorities.as_ref().map(read).transpose()
}

fn mail_server(config: &ServerConfig, smtp: &crate::config::Smtp, dir: &Path) -> Result<Smtp, ServerError> {
    let (tls, port) = match smtp.security {
        SmtpSecurity::Tls => (SmtpTls::Implicit, 465),
        SmtpSecurity::StartTls => (SmtpTls::StartTls, 587),
        SmtpSecurity::None => (SmtpTls::None, 25),
    };
    let login = match (&smtp.user, &smtp.password) {
        (Some(user), Some(password)) => Some((user.clone(), secret(password, dir)?)),
        _ => None,
    };
    let port = smtp.port.unwrap_or(port);
    let (host, from, authorities) = (smtp.host.clone(), smtp.from.clone(), authorities(config)?);
    Ok(Smtp::new(&SmtpSettings { host, port, tls, login, from, authorities })?)
}

fn webhooks(config: &ServerConfig, dir: &Path) -> Result<Vec<Webhook>, ServerError> {
    let one = |webhook: &crate::config::Webhook| {
        Ok(Webhook {
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            secret: secret(&webhook.secret, dir)?,
        })
    };
    config.alerts.webhook.iter().map(one).collect()
}

fn provider(id: &str, one: &crate::config::Oidc, dir: &Path) -> Result<ProviderSettings, ServerError> {
    let group = |(group, role): (&String, &String)| GroupRole { group: group.clone(), role: role.clone() };
    Ok(ProviderSettings {
        id: id.to_owned(),
        label: one.label.clone().unwrap_or_else(|| format!("Sign in with {id}")),
        issuer: one.issuer.clone(),
        client_id: one.client_id.clone(),
        client_secret: one.client_secret.as_ref().map(|s| secret(s, dir)).transpose()?,
        scopes: one.scopes.clone(),
        groups_claim: one.groups_claim.clone(),
        roles: one.roles.iter().map(group).collect(),
        create: one.create,
        organisation: one.organisation.clone(),
        verified_claim: one.verified_claim.clone(),
        mfa_amr: one.mfa_amr.clone(),
        mfa_acr: one.mfa_acr.clone(),
    })
}

fn customers_provider(
    one: &crate::config::CustomerOidc,
    dir: &Path,
) -> Result<ProviderSettings, ServerError> {
    Ok(ProviderSettings {
        id: dunlin_guard::oidc::CUSTOMERS.to_owned(),
        label: one.label.clone().unwrap_or_default(),
        issuer: one.issuer.clone(),
        client_id: one.client_id.clone(),
        client_secret: one.client_secret.as_ref().map(|s| secret(s, dir)).transpose()?,
        scopes: one.scopes.clone(),
        verified_claim: one.verified_claim.clone(),
        // What follows is of people who work on the move.
        groups_claim: None,
        roles: Vec::new(),
        create: false,
        organisation: None,
        mfa_amr: Vec::new(),
        mfa_acr: Vec::new(),
    })
}
