//! What of one stream came, and what was to come.

/// Counts the packets of one stream by its sequence numbers, from a moment on and up to a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Continuity {
    /// The first and the last number that count; nothing has come yet where they are absent.
    first: Option<u64>,
    highest: Option<u64>,
    closed: bool,
    received: u64,
}

impl Continuity {
    /// From now on: what is missing until the next packet counts as lost, but not what came before.
    pub(crate) fn restart(&mut self) {
        self.first = self.highest.map(|highest| highest + 1);
        self.received = 0;
        self.closed = false;
    }

    /// Up to now: of what still comes, only what fills gaps counts.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// A packet came, for the first time.
    pub(crate) fn packet(&mut self, seq: u64) {
        if self.closed && self.highest.is_none_or(|highest| seq > highest) {
            return;
        }
        let first = *self.first.get_or_insert(seq);
        self.highest = self.highest.max(Some(seq));
        if seq >= first {
            self.received += 1;
        }
    }

    /// How many packets were to come.
    pub(crate) fn expected(&self) -> u64 {
        match (self.first, self.highest) {
            (Some(first), Some(highest)) => (highest + 1).saturating_sub(first),
            _ => 0,
        }
    }

    /// How many came.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_loss_until_it_is_filled() {
        let mut c = Continuity::default();
        assert_eq!((c.expected(), c.received()), (0, 0));
        [65_530, 65_531, 65_534].into_iter().for_each(|seq| c.packet(seq));
        assert_eq!((c.expected(), c.received()), (5, 3));
        c.packet(65_532);
        assert_eq!((c.expected(), c.received()), (5, 4));
    }

    #[test]
    fn only_what_lies_between_two_moments_counts() {
        let mut c = Continuity::default();
        [10, 12].into_iter().for_each(|seq| c.packet(seq));
        c.restart();
        // Late, of the time before.
        c.packet(11);
        assert_eq!((c.expected(), c.received()), (0, 0));
        [14, 15, 17].into_iter().for_each(|seq| c.packet(seq));
        c.close();
        [16, 18].into_iter().for_each(|seq| c.packet(seq));
        assert_eq!((c.expected(), c.received()), (5, 4));
    }

    #[test]
    fn a_stream_that_begins_later_begins_with_its_first_packet() {
        let mut c = Continuity::default();
        c.restart();
        [7, 8].into_iter().for_each(|seq| c.packet(seq));
        assert_eq!((c.expected(), c.received()), (2, 2));
        let mut never = Continuity::default();
        never.close();
        never.packet(4);
        assert_eq!((never.expected(), never.received()), (0, 0));
    }
}
