//! Colours, by meaning. `anstream` takes them out where they do not belong.

use std::fmt;

use anstyle::{AnsiColor, Style};

pub(crate) const ADMITTED: Style = AnsiColor::Green.on_default();
pub(crate) const WARNED: Style = AnsiColor::Yellow.on_default();
pub(crate) const REJECTED: Style = AnsiColor::Red.on_default();
pub(crate) const UNDECIDED: Style = AnsiColor::Magenta.on_default();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();

/// A text in a style.
pub(crate) struct Painted<'a, T: ?Sized>(pub(crate) Style, pub(crate) &'a T);

impl<T: fmt::Display + ?Sized> fmt::Display for Painted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0, self.1, self.0.render_reset())
    }
}
