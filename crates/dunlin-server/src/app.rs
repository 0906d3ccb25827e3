//! What every handler works with.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use dunlin_guard::alerts::Alerts;
use dunlin_guard::audit::{Auditor, LedgerReader};
use dunlin_guard::mail::Post;
use dunlin_guard::oidc::Oidc;
use dunlin_guard::outgoing::outbox::Outbox;
use dunlin_guard::scim::Scim;
use dunlin_guard::{Authority, Guard, GuardPolicy, Presence};
use dunlin_store::Workspace;

use crate::brand::Brands;
use crate::config::ServerConfig;
use crate::engine::Engine;
use crate::events::{Hub, Watch};
use crate::limits::{Rate, Seats};
use crate::metrics::Metrics;
use crate::serve::ServerError;

/// The server's insides. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

/// What [`App`] holds.
pub(crate) struct Inner {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) config: ServerConfig,
    pub(crate) guard: Guard,
    pub(crate) authority: Authority,
    pub(crate) policy: GuardPolicy,
    pub(crate) auditor: Auditor,
    pub(crate) presence: Presence,
    pub(crate) alerts: Alerts,
    pub(crate) outbox: Outbox,
    pub(crate) post: Post,
    pub(crate) oidc: Oidc,
    /// Where customers sign in.
    pub(crate) customers_oidc: Oidc,
    pub(crate) scim: Scim,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) desk: crate::api::work::Desk,
    pub(crate) hub: Hub,
    pub(crate) watch: Arc<Watch>,
    pub(crate) metrics: Metrics,
    pub(crate) brands: Brands,
    pub(crate) rate_of_addresses: Rate<IpAddr>,
    pub(crate) rate_of_people: Rate<String>,
    pub(crate) streams: Arc<Seats<String>>,
    /// Edits of the plan, one at a time.
    pub(crate) plan_lock: tokio::sync::Mutex<()>,
    /// How far the move is, for customers.
    pub(crate) progress: crate::tell::Progress,
    /// What customers ask for.
    pub(crate) requests: crate::requests::Desk,
    /// Edits of notices, one at a time.
    pub(crate) notices_lock: tokio::sync::Mutex<()>,
    /// What the ledger says of the plan.
    pub(crate) plan_history: tokio::sync::Mutex<crate::api::plan::History>,
    metrics_token: Option<String>,
    base_url: String,
    address: SocketAddr,
}

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) config: ServerConfig,
    pub(crate) guard: Guard,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) address: SocketAddr,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts everything together, and finishes an edit of the plan that died half-way.
    pub(crate) async fn new(parts: Parts) -> Result<App, ServerError> {
        let Parts { workspace, config, guard, engine, address } = parts;
        crate::plan::finish_pending(workspace.state(), &workspace.dir).await?;
        let metrics_token = config.metrics_token.as_ref().map(|secret| secret.read(&workspace.dir));
        let metrics_token = metrics_token.transpose().map_err(crate::config::ConfigError::from)?;
        let authority = Authority::load(&workspace.dir).map_err(|e| ServerError::Setup(e.to_string()))?;
        authority.record(workspace.state(), &dunlin_ledger::Actor::System).await?;
        let reader = LedgerReader::new(&workspace)?;
        let made = crate::wiring::parts(&workspace, &config, &guard, reader.clone())?;
        let crate::wiring::Parts { alerts, outbox, post, oidc, customers_oidc } = made;
        let presence = Presence::new(guard.clone(), &workspace);
        if let Some(outside) = engine.outside() {
            presence.set_outside(outside);
        }
        let work = dunlin_work::Work::open(workspace.state().clone()).await;
        let work = work.map_err(|e| ServerError::Setup(e.to_string()))?;
        let inner = Inner {
            desk: crate::api::work::Desk::new(work, reader.clone()),
            policy: GuardPolicy::new(guard.clone(), authority.clone()),
            auditor: Auditor::new(workspace.state().clone(), reader),
            authority,
            presence,
            alerts,
            outbox,
            post,
            oidc,
            customers_oidc,
            scim: Scim::new(
                guard.clone(),
                config.scim.settings(),
                &format!("{}/scim/v2", config.base_url(address)),
            ),
            hub: Hub::new(),
            watch: Arc::default(),
            metrics: Metrics::new(),
            brands: Brands::new(&workspace.dir),
            rate_of_addresses: Rate::per_minute(config.limits.per_address),
            rate_of_people: Rate::per_minute(config.limits.per_person),
            streams: Seats::new(config.limits.streams_per_person),
            plan_lock: tokio::sync::Mutex::default(),
            progress: crate::tell::Progress::default(),
            requests: crate::requests::Desk::new(&config),
            notices_lock: tokio::sync::Mutex::default(),
            plan_history: tokio::sync::Mutex::default(),
            base_url: config.base_url(address),
            metrics_token,
            workspace,
            guard,
            engine,
            address,
            config,
        };
        Ok(App(Arc::new(inner)))
    }

    /// The address for people, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Whether a request may ask for this host: another name points here by DNS tricks, to read with a browser's
    /// cookies what it may not.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let public = self.config.public_url.as_ref().and_then(|url| url.host_str());
        match public {
            Some(public) if public.trim_matches(['[', ']']).eq_ignore_ascii_case(host) => true,
            _ if self.address.ip().is_loopback() => loopback,
            Some(_) => false,
            None => true,
        }
    }

    /// Whether this is the token that reads the metrics.
    pub(crate) fn is_metrics_token(&self, token: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.metrics_token.as_ref().is_some_and(|own| own.as_bytes().ct_eq(token.as_bytes()).into())
    }

    /// Of these sessions or tokens, those that still live.
    pub(crate) async fn alive(&self, ids: &[String], tokens: bool) -> Result<Vec<String>, sqlx::Error> {
        let late = self.guard.now().late;
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(if tokens {
            "select s.id from tokens s join people p on p.id = s.person \
             where s.revoked_at is null and p.status = 'active' and s.until_late > "
        } else {
            "select s.id from sessions s join people p on p.id = s.person \
             where s.ended_at is null and p.status = 'active' and s.ends_late > "
        });
        query.push_bind(late);
        query.push(" and (p.limit_until_late is null or p.limit_until_late > ").push_bind(late).push(")");
        query.push(" and s.id in (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id);
        }
        query.push(")");
        query.build_query_scalar().fetch_all(self.guard.state().pool()).await
    }
}
