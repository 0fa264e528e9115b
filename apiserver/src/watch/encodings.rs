//! What watches have written of late: what several of them want in the same form is written once.
//!
//! Upstream: `storage/cacher/caching_object.go`, which keeps of the object of an event what each encoder
//! made of it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::negotiation::Representation;

/// How many bytes, about, are kept. Who is so slow that the change is older writes for himself.
const MOST_BYTES: usize = 8 << 20;

/// An object as a change left it, in some form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The revision of the change. It comes first: the oldest go first.
    pub(crate) revision: u64,
    /// Whether it is the object as it was before, for those to whom it is gone.
    pub(crate) gone: bool,
    pub(crate) form: Form,
}

/// All that decides what is written of an object. A form that depends on more, as a table does on the
/// time, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Form {
    /// The group and the version of the object.
    pub(crate) version: (&'static str, &'static str),
    pub(crate) representation: Representation,
}

/// Objects as they were written, without what stands around them in an event.
#[derive(Debug, Default)]
pub(crate) struct Encodings {
    kept: BTreeMap<Key, Bytes>,
    bytes: usize,
}

impl Encodings {
    /// What was written under a key, or is by `write` now.
    pub(crate) fn get_or_write(&mut self, key: Key, write: impl FnOnce() -> Vec<u8>) -> Bytes {
        if let Some(written) = self.kept.get(&key) {
            return written.clone();
        }
        let written = Bytes::from(write());
        self.bytes += written.len();
        self.kept.insert(key, written.clone());
        while self.bytes > MOST_BYTES
            && let Some((_, oldest)) = self.kept.pop_first()
        {
            self.bytes -= oldest.len();
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(revision: u64) -> Key {
        Key {
            revision,
            gone: false,
            form: Form {
                version: ("", "v1"),
                representation: Representation::default(),
            },
        }
    }

    #[test]
    fn each_is_written_once() {
        let mut encodings = Encodings::default();
        let mut written = 0;
        let mut write = |key| {
            encodings.get_or_write(key, || {
                written += 1;
                vec![written]
            })
        };
        let gone = Key {
            gone: true,
            ..key(1)
        };
        let mut other = key(1);
        other.form.version = ("batch", "v1beta1");
        let found = [key(1), key(1), gone, other, key(2), key(1), gone].map(|key| write(key)[0]);
        assert_eq!(found, [1, 1, 2, 3, 4, 1, 2]);
    }

    #[test]
    fn the_oldest_go_and_no_more_is_kept_than_so_much() {
        let mut encodings = Encodings::default();
        let third = vec![0; MOST_BYTES / 3];
        for revision in 2..=6 {
            encodings.get_or_write(key(revision), || third.clone());
            assert!(encodings.bytes <= MOST_BYTES);
        }
        // Who comes late pushes nobody out.
        encodings.get_or_write(key(1), || third.clone());
        let kept: Vec<u64> = encodings.kept.keys().map(|key| key.revision).collect();
        assert_eq!(kept, [4, 5, 6]);
        // What is larger than all of it is written, and not kept.
        let written = encodings.get_or_write(key(7), || vec![0; MOST_BYTES + 1]);
        assert_eq!(written.len(), MOST_BYTES + 1);
        assert_eq!((encodings.kept.len(), encodings.bytes), (0, 0));
    }
}
