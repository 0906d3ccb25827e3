//! The templates and what they need.

use std::sync::Arc;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::brand::Brand;
use crate::problem::Problem;

/// A page as an answer.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            Problem::internal().into_response()
        }
    }
}

/// What was wrong.
pub(super) struct Wrong {
    pub(super) title: String,
    pub(super) help: Option<String>,
}

/// An identity provider's button.
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) title: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    pub(super) brand: Arc<Brand>,
    pub(super) said: &'static str,
    pub(super) wrong: Option<Wrong>,
    pub(super) next: String,
    pub(super) email: String,
    pub(super) providers: Vec<Provider>,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
pub(super) struct SecondFactorPage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) wrong: Option<Wrong>,
    pub(super) next: String,
}

#[derive(Template)]
#[template(path = "set_up.html")]
pub(super) struct SetUpPage {
    pub(super) brand: Arc<Brand>,
    pub(super) wrong: Option<Wrong>,
    pub(super) name: String,
    pub(super) email: String,
}

#[derive(Template)]
#[template(path = "invitation.html")]
pub(super) struct InvitationPage {
    pub(super) brand: Arc<Brand>,
    pub(super) wrong: Option<Wrong>,
    pub(super) token: String,
    pub(super) role: String,
    pub(super) email: String,
    pub(super) name: String,
}

#[derive(Template)]
#[template(path = "recover.html")]
pub(super) struct RecoverPage {
    pub(super) brand: Arc<Brand>,
    pub(super) wrong: Option<Wrong>,
}

#[derive(Template)]
#[template(path = "recover_sent.html")]
pub(super) struct RecoverSentPage {
    pub(super) brand: Arc<Brand>,
}

#[derive(Template)]
#[template(path = "new_password.html")]
pub(super) struct NewPasswordPage {
    pub(super) brand: Arc<Brand>,
    pub(super) wrong: Option<Wrong>,
    pub(super) action: String,
}

#[derive(Template)]
#[template(path = "password.html")]
pub(super) struct PasswordPage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) wrong: Option<Wrong>,
    pub(super) email: String,
}

#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) brand: Arc<Brand>,
    pub(super) wrong: Option<Wrong>,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) button: &'static str,
    pub(super) action: String,
}

/// A QR code as the path of an SVG.
pub(super) struct Qr {
    pub(super) size: usize,
    pub(super) path: String,
}

#[derive(Template)]
#[template(path = "enrol.html")]
pub(super) struct EnrolPage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) wrong: Option<Wrong>,
    pub(super) required: bool,
    pub(super) otpauth: String,
    pub(super) secret: String,
    pub(super) qr: Qr,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub(super) struct CodesPage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) codes: Vec<String>,
}

#[derive(Template)]
#[template(path = "make_codes.html")]
pub(super) struct MakeCodesPage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) wrong: Option<Wrong>,
}

/// A device that asks.
pub(super) struct Device {
    pub(super) code: String,
    pub(super) client: String,
    pub(super) address: String,
    pub(super) may: String,
    pub(super) person: String,
}

#[derive(Template)]
#[template(path = "device.html")]
pub(super) struct DevicePage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) wrong: Option<Wrong>,
    pub(super) code: String,
    pub(super) device: Option<Device>,
}

/// A session of the home page.
pub(super) struct SessionLine {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) here: bool,
    pub(super) address: String,
    pub(super) since: String,
    pub(super) seen: String,
}

#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct HomePage {
    pub(super) brand: Arc<Brand>,
    pub(super) csrf: String,
    pub(super) said: &'static str,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) organisation: Option<String>,
    pub(super) enrolled: bool,
    pub(super) sessions: Vec<SessionLine>,
    pub(super) api: String,
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage {
    pub(super) brand: Arc<Brand>,
    pub(super) heading: String,
    pub(super) help: Option<String>,
    pub(super) reference: String,
    pub(super) way: (String, String),
}

#[derive(Template)]
#[template(path = "confirmed.html")]
pub(super) struct ConfirmedPage {
    pub(super) brand: Arc<Brand>,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
}
