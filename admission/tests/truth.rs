//! The chain against what real servers answered: every recorded request of every minor, compared in
//! code, message, warnings and, where it was recorded, the stored object.
//!
//! The recordings lie in the folder that `PODGATE_TRUTH` names, else beside the checkout; without
//! them nothing is compared, and the tests say so.

#[path = "truth/creates.rs"]
mod creates;
#[path = "truth/labels.rs"]
mod labels;
#[path = "truth/message.rs"]
mod message;
#[path = "truth/policies.rs"]
mod policies;
#[path = "truth/recorded.rs"]
mod recorded;
#[path = "truth/requests.rs"]
mod requests;
#[path = "truth/stages.rs"]
mod stages;
#[path = "truth/updates.rs"]
mod updates;
#[path = "truth/world.rs"]
mod world;
