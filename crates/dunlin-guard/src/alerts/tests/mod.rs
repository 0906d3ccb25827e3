//! Each rule fires in a scenario made for it, and none fires in a quiet week.

mod geo;
mod judge;
mod scenarios;
mod story;
mod week;
