//! The server on a socket: who gets in, what is too much, and that nothing is left of it.

mod client;
mod hostile;
mod limits;
mod running;
mod watch;
