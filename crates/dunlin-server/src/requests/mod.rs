//! What customers ask for, in the server: taken in from the customer's own page or from an operator, counted by its clock,
//! bound to a task, decided on, carried out through [`Customers`], and answered by letters.
//!
//! Not here: what a request does to rows (`dunlin-move`), who may decide (the policies), and the pages.

mod carrying;
mod copy;
mod desk;
mod due;
mod letters;
mod offer;
mod port;
mod seats;

pub use port::{
    CarriedOut, CustomerKey, CustomerPart, CustomerReach, Customers, Named, NewCustomerRequest,
    RequestDecision,
};

pub(crate) use carrying::{carry, carry_due};
pub(crate) use copy::{OwnData, ask as own_ask, copy};
pub(crate) use desk::{Asked, Desk, Via, decide, details, extend, take_in, undo, withdraw};
pub(crate) use letters::{company, day, has_address, kind_name, last_day};
pub(crate) use offer::{OfferedBy, fetch, offer};
