//! Cyclic numbers that one distance moves.

/// TL0PICIDX or KEYIDX of one slot: a source's number moved by a distance that is fixed from its start to its end, so
/// that the first goes on where the source before it stopped.
#[derive(Debug, Default)]
pub(crate) struct Shifted {
    by: Option<u8>,
    /// The newest that went out.
    last: Option<u8>,
}

impl Shifted {
    /// Another source begins.
    pub(crate) fn restart(&mut self) {
        self.by = None;
    }

    /// The number that goes out for `v`; `newest` if the packet is the newest of its source.
    pub(crate) fn shift(&mut self, v: u8, newest: bool) -> u8 {
        let last = self.last;
        let by = *self.by.get_or_insert_with(|| last.map_or(0, |l| l.wrapping_add(1).wrapping_sub(v)));
        let out = v.wrapping_add(by);
        if newest {
            self.last = Some(out);
        }
        out
    }
}
