//! Who may touch customer data, who is in it now, and what they did.

mod approvals;
mod clock;
mod credentials;
mod customer;
mod device;
mod error;
mod grants;
mod guard;
mod invite;
mod limit;
mod link;
mod mail_port;
mod people;
mod policy;
mod presence;
mod service_token;
mod session;
mod settings;
#[cfg(test)]
mod testing;
mod token;

pub use approvals::{ApprovalRecord, ApprovalRules, NotApproved, authors, may_approve, may_start};
pub use clock::{Clock, ManualTime, Moment, SystemTime, TimeSource};
pub use credentials::{Ceremony, PasskeyInfo, TotpEnrolment};
pub use device::{DeviceGrant, DeviceRequest, Poll};
pub use error::{ErrorKind, GuardError};
pub use grants::{Agreement, Grant, GrantRequest};
pub use guard::Guard;
pub use invite::{InvitationInfo, Invite};
pub use limit::{AttemptInfo, Lock, Network, Origin};
pub use link::LinkInfo;
pub use mail_port::{Mail, MailFailed, Mailer};
pub use people::{
    AccessedClass, DataTouched, GrantHeld, Investigation, Limit, NewPerson, Note, Person, PersonRecord,
    Reason, SetUp, Status,
};
pub use policy::{
    AccessError, Action, Authority, ColumnView, GuardPolicy, PolicyError, Resource, Sentence, Subject,
    Verdict, WouldSee, party,
};
pub use presence::{
    LiveAccess, LiveRun, LiveSession, Outside, OutsideConnection, Presence, PresenceChange, Snapshot,
    Standing,
};
pub use service_token::TokenInfo;
pub use session::{Factors, SessionInfo, SignedIn, Stage, Via, Who};
pub use settings::{GuardSettings, HashSettings, Lifetimes, Limits};
pub use token::{SERVICE_PREFIX, Secret};

pub mod alerts;
pub mod audit;
pub mod mail;
pub mod oidc;
pub mod outgoing;
pub mod scim;
