//! What a client is told when something is wrong: RFC 9457 problem details with a code, a sentence, help and a
//! reference. Never a value, a path, a stack or another library's text.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

tokio::task_local! {
    /// The reference of the request under way; it stands in the log and in the answer.
    pub(crate) static REFERENCE: String;
}

/// The reference of the request under way, or nothing outside one.
pub(crate) fn reference() -> String {
    REFERENCE.try_with(Clone::clone).unwrap_or_default()
}

/// A problem, as it is sent (`application/problem+json`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:dunlin:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is wrong, as a sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable word for programs.
    pub code: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What to name when asking for help; it stands in the server's log.
    pub reference: String,
    /// What was found wrong with a plan, in the form of `dunlin check --format json`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub findings: Vec<serde_json::Value>,
    /// Seconds to wait before another try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with a stable code and a sentence.
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:dunlin:problem:{code}"),
            title: title.into(),
            status: status.as_u16(),
            code: code.to_owned(),
            help: None,
            reference: reference(),
            findings: Vec::new(),
            retry_after: None,
        }
    }

    /// The same with a way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// The same, to be tried again after so many seconds.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    /// The same with what was found.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<serde_json::Value>) -> Problem {
        self.findings = findings;
        self
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(title: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", title)
    }

    /// 401: nobody is signed in.
    pub fn unauthenticated() -> Problem {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "nobody is signed in, or the session has ended",
        )
        .help("sign in at /sign-in, or send a token as `Authorization: Bearer`")
    }

    /// 403 with a code of its own.
    pub fn forbidden(code: &str, title: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, code, title)
    }

    /// 404 for a kind of thing.
    pub fn not_found(what: &str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
            .help("check the address and the id")
    }

    /// 500. What happened goes to the log, by the caller, under the same reference.
    pub fn internal() -> Problem {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed to answer, and has noted why",
        )
        .help("try again; when it stays, name the reference to whoever runs the server")
    }

    /// The HTTP status.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        if self.reference.is_empty() {
            self.reference = reference();
        }
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status_code(), body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            let ask = HeaderValue::from_static("Bearer realm=\"dunlin\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // Pages turn it into HTML on the way out.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<dunlin_store::StoreError> for Problem {
    fn from(error: dunlin_store::StoreError) -> Problem {
        use dunlin_store::StoreError as E;
        match error {
            E::Unknown { what, .. } => Problem::not_found(what),
            E::Busy => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "dunlin's own state is busy with other work",
            )
            .help("try again in a moment")
            .after(2),
            other => {
                tracing::error!(reference = reference(), error = %other, "the state failed");
                Problem::internal()
            }
        }
    }
}
