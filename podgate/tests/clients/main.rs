//! The clients that everybody has, against `podgate serve`.

#![cfg(unix)]

mod client;
mod helm;
mod kubectl;
