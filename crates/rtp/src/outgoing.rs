//! What leaves: filled by the forwarding core, read by the cipher.

use crate::extension::ExtId;
use crate::{Pt, RtpTime, SeqNo, Ssrc};

/// The buffer that was given is too small for what is to be written into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the buffer is too small")]
pub struct TooSmall;

/// There is no room left for another header extension element.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no room for another header extension")]
pub struct ExtensionsFull;

/// Plaintext that differs per receiver and stands before the shared tail: RTX's original sequence number (RFC 4588 §4),
/// a rewritten VP8 or VP9 descriptor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefix {
    len: u8,
    /// What lies behind `len` says nothing.
    bytes: [u8; Prefix::MAX],
}

impl Prefix {
    /// The longest prefix: two bytes of RTX and the longest descriptor that we rewrite.
    pub const MAX: usize = 23;
    /// Nothing differs: the tail is the whole payload.
    pub const EMPTY: Self = Self { len: 0, bytes: [0; Self::MAX] };

    /// `None` if `bytes` is longer than [`Prefix::MAX`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut p = Self::EMPTY;
        p.push(bytes).then_some(p)
    }

    /// The first `len` of a few bytes.
    #[inline]
    pub fn few(few: [u8; 8], len: usize) -> Self {
        let mut prefix = Self::EMPTY;
        prefix.set(few, len);
        prefix
    }

    /// Its first eight bytes, and how many of these it has.
    #[inline]
    pub fn first(&self) -> ([u8; 8], usize) {
        let mut few = [0; 8];
        few.copy_from_slice(&self.bytes[..8]);
        (few, usize::from(self.len).min(8))
    }

    /// Becomes the first `len` of a few bytes: quicker than to make a new one, which is three times as long.
    #[inline]
    pub fn set(&mut self, few: [u8; 8], len: usize) {
        self.bytes[..8].copy_from_slice(&few);
        self.len = len.min(8) as u8;
    }

    /// Appends; false, and nothing changed, where it does not fit.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let at = usize::from(self.len);
        let Some(to) = self.bytes.get_mut(at..at + bytes.len()) else { return false };
        to.copy_from_slice(bytes);
        self.len += bytes.len() as u8;
        true
    }

    /// The bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for Prefix {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Prefix {}

/// The header extension of an outgoing packet: short elements of our own, and at most one passed on as received.
#[derive(Clone, Copy, Debug)]
pub struct OutExtensions<'a> {
    /// Elements as they travel, in the form that `long` says: gathered once, and written by a copy.
    own: [u8; OutExtensions::OWN],
    len: u8,
    count: u8,
    /// Whether an id above 14, or a length of 0 or above 16, forces the two-byte form.
    long: bool,
    passed: Option<(ExtId, &'a [u8])>,
}

impl<'a> OutExtensions<'a> {
    /// Room for MID (16), transport-wide number, abs-send-time, audio level, and some: id and length count, a byte each.
    const OWN: usize = 48;
    /// No extension: the X bit stays clear.
    pub const NONE: Self = Self { own: [0; Self::OWN], len: 0, count: 0, long: false, passed: None };

    /// Appends an element, copied. An id that stands there twice is the caller's mistake, and is sent twice.
    #[inline]
    pub fn push(&mut self, id: ExtId, value: &[u8]) -> Result<(), ExtensionsFull> {
        // There is room in either form, lest a later element that forces the longer one finds none.
        let in_two_bytes = usize::from(self.len) + if self.long { 0 } else { usize::from(self.count) };
        if in_two_bytes + 2 + value.len() > Self::OWN {
            return Err(ExtensionsFull);
        }
        self.widen_for(id, value);
        let at = usize::from(self.len);
        let head = if self.long { 2 } else { 1 };
        let to = self.own.get_mut(at..at + head + value.len()).ok_or(ExtensionsFull)?;
        if self.long {
            to[0] = id.get();
            to[1] = value.len() as u8;
        } else {
            to[0] = id.get() << 4 | (value.len() - 1) as u8;
        }
        to[head..].copy_from_slice(value);
        self.len += (head + value.len()) as u8;
        self.count += 1;
        Ok(())
    }

    /// Sets the element that is passed on as it came (a dependency descriptor, a colour space), at most 255 bytes.
    pub fn pass(&mut self, id: ExtId, value: &'a [u8]) -> Result<(), ExtensionsFull> {
        if self.passed.is_some() || value.len() > 255 {
            return Err(ExtensionsFull);
        }
        self.widen_for(id, value);
        self.passed = Some((id, value));
        Ok(())
    }

    /// Whether there is nothing to write.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0 && self.passed.is_none()
    }

    /// The elements, our own first.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let (mut rest, long) = (&self.own[..usize::from(self.len)], self.long);
        core::iter::from_fn(move || {
            let (&first, tail) = rest.split_first()?;
            let (id, n, tail) = if long {
                let (&n, tail) = tail.split_first()?;
                (first, n, tail)
            } else {
                (first >> 4, (first & 0x0f) + 1, tail)
            };
            let (value, after) = tail.split_at_checked(usize::from(n))?;
            rest = after;
            Some((id, value))
        })
        .chain(self.passed.map(|(id, v)| (id.get(), v)))
    }

    /// Bytes on the wire, the four of the extension's own header included; a multiple of four; 0 for none.
    #[inline]
    pub fn wire_len(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        let head = if self.long { 2 } else { 1 };
        let body = usize::from(self.len) + self.passed.map_or(0, |(_, value)| head + value.len());
        4 + body.next_multiple_of(4)
    }

    /// Writes the block into exactly [`wire_len`](Self::wire_len) bytes (RFC 8285 §4.2, §4.3).
    #[inline]
    fn write(&self, out: &mut [u8]) {
        let [p0, p1, l0, l1, body @ ..] = out else { return };
        [*p0, *p1] = if self.long { [0x10, 0x00] } else { [0xbe, 0xde] };
        [*l0, *l1] = ((body.len() / 4) as u16).to_be_bytes();
        let own = &self.own[..usize::from(self.len)];
        body[..own.len()].copy_from_slice(own);
        let mut at = own.len();
        if let Some((id, value)) = self.passed {
            if self.long {
                body[at] = id.get();
                body[at + 1] = value.len() as u8;
                at += 2;
            } else {
                body[at] = id.get() << 4 | (value.len() - 1) as u8;
                at += 1;
            }
            body[at..at + value.len()].copy_from_slice(value);
            at += value.len();
        }
        // Up to three, one by one: that is quicker than to ask for as many.
        for padding in &mut body[at..] {
            *padding = 0;
        }
    }

    #[inline]
    fn widen_for(&mut self, id: ExtId, value: &[u8]) {
        if !self.long && needs_two_bytes(id, value) {
            self.widen();
        }
    }

    /// Puts what is there into the two-byte form: [`push`](Self::push) left room for it.
    #[cold]
    fn widen(&mut self) {
        let (short, len) = (self.own, usize::from(self.len));
        (self.len, self.long) = (0, true);
        let mut rest = &short[..len];
        while let Some((&first, tail)) = rest.split_first() {
            let n = (first & 0x0f) + 1;
            let Some((value, after)) = tail.split_at_checked(usize::from(n)) else { return };
            let at = usize::from(self.len);
            if let Some([id, length, to @ ..]) = self.own.get_mut(at..at + 2 + value.len()) {
                (*id, *length) = (first >> 4, n);
                to.copy_from_slice(value);
                self.len += 2 + n;
            }
            rest = after;
        }
    }
}

#[inline]
fn needs_two_bytes(id: ExtId, value: &[u8]) -> bool {
    id.get() > 14 || value.is_empty() || value.len() > 16
}

/// The header of an outgoing packet, but for what [`Outgoing`] names itself.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The payload type that the receiver negotiated.
    pub pt: Pt,
    /// The marker bit.
    pub marker: bool,
    /// On the receiver's clock of this stream.
    pub timestamp: RtpTime,
    /// Whose media this is.
    pub csrc: Option<Ssrc>,
    /// What goes into the header extension.
    pub extensions: OutExtensions<'a>,
}

/// One packet that leaves: a header built for one receiver, a payload shared by all.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The stream.
    pub ssrc: Ssrc,
    /// The extended sequence number, which is SRTP's packet index: the roll-over count is never guessed.
    pub index: SeqNo,
    /// The rest of the header.
    pub header: Header<'a>,
    /// The payload's first bytes, where they differ per receiver.
    pub prefix: Prefix,
    /// The rest of the payload, in the cache.
    pub tail: &'a [u8],
    /// Bytes of padding after the tail, the count included; 0 for none (RFC 3550 §5.1).
    pub padding: u8,
}

impl Outgoing<'_> {
    /// Of stream 0, with nothing in it: to be filled.
    pub const EMPTY: Self = Self {
        ssrc: Ssrc(0),
        index: SeqNo(0),
        header: Header {
            pt: Pt::from_header(0),
            marker: false,
            timestamp: RtpTime(0),
            csrc: None,
            extensions: OutExtensions::NONE,
        },
        prefix: Prefix::EMPTY,
        tail: &[],
        padding: 0,
    };

    /// Bytes of the header.
    #[inline]
    pub fn header_len(&self) -> usize {
        12 + 4 * usize::from(self.header.csrc.is_some()) + self.header.extensions.wire_len()
    }

    /// Bytes of the payload, padding included.
    #[inline]
    pub fn body_len(&self) -> usize {
        self.prefix.as_slice().len() + self.tail.len() + usize::from(self.padding)
    }

    /// Writes the header and says how long it is.
    #[inline]
    pub fn write_header(&self, out: &mut [u8]) -> Result<usize, TooSmall> {
        let n = self.header_len();
        let out = out.get_mut(..n).ok_or(TooSmall)?;
        let (fixed, mut rest) = out.split_at_mut(12);
        let h = &self.header;
        fixed[0] = 0x80
            | u8::from(self.padding > 0) << 5
            | u8::from(!h.extensions.is_empty()) << 4
            | u8::from(h.csrc.is_some());
        fixed[1] = u8::from(h.marker) << 7 | h.pt.get();
        fixed[2..4].copy_from_slice(&self.index.seq().0.to_be_bytes());
        fixed[4..8].copy_from_slice(&h.timestamp.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.ssrc.0.to_be_bytes());
        if let Some(csrc) = h.csrc {
            let (c, after) = rest.split_at_mut(4);
            c.copy_from_slice(&csrc.0.to_be_bytes());
            rest = after;
        }
        h.extensions.write(rest);
        Ok(n)
    }

    /// Writes prefix, tail and padding in plain text, and says how long they are. A cipher may do this while it seals.
    #[inline]
    pub fn write_body(&self, out: &mut [u8]) -> Result<usize, TooSmall> {
        let n = self.body_len();
        let out = out.get_mut(..n).ok_or(TooSmall)?;
        let (prefix, rest) = out.split_at_mut(self.prefix.as_slice().len());
        prefix.copy_from_slice(self.prefix.as_slice());
        let (tail, padding) = rest.split_at_mut(self.tail.len());
        tail.copy_from_slice(self.tail);
        padding.fill(0);
        if let Some(count) = padding.last_mut() {
            *count = self.padding;
        }
        Ok(n)
    }
}

/// What a room sends to one receiver.
// Exhaustive: RTP or RTCP, and whoever sends must miss neither.
#[derive(Clone, Copy, Debug)]
pub enum Egress<'a> {
    /// A media or repair packet.
    Rtp(&'a Outgoing<'a>),
    /// A compound RTCP packet (RFC 3550 §6.1, or reduced-size, RFC 5506), in plain text.
    Rtcp(&'a [u8]),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Packet;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Mostly such as the short form can say.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        use prop::collection::vec;
        prop_oneof![6 => vec(any::<u8>(), 1..8), 1 => vec(any::<u8>(), 0..20)]
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back(
            elements in prop::collection::vec((prop_oneof![4 => 1u8..=14, 1 => 15u8..=20], value()), 0..10),
            first in any::<bool>(),
            passed in prop::option::of((1u8..=14, prop::collection::vec(any::<u8>(), 0..256))),
            csrc in prop::option::of(any::<u32>()),
            (index, ts, ssrc, pt) in (0u64..1 << 48, any::<u32>(), any::<u32>(), 0u8..128),
            (marker, padding) in (any::<bool>(), any::<u8>()),
            prefix in prop::collection::vec(any::<u8>(), 0..=Prefix::MAX),
            tail in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut extensions = OutExtensions::NONE;
            let mut expected = Vec::new();
            // Before or after our own, it is written after them.
            if let (true, Some((id, value))) = (first, &passed) {
                extensions.pass(ExtId::new(*id).unwrap(), value).unwrap();
            }
            let mut room = 48;
            for (id, value) in &elements {
                // Whatever the form, as many bytes as the longer one takes.
                let fits = 2 + value.len() <= room;
                prop_assert_eq!({ extensions }.push(ExtId::new(*id).unwrap(), value).is_ok(), fits);
                room -= if fits { 2 + value.len() } else { 0 };
                if extensions.push(ExtId::new(*id).unwrap(), value).is_ok() {
                    expected.push((*id, value.clone()));
                }
            }
            if let Some((id, value)) = &passed {
                prop_assert_eq!(extensions.pass(ExtId::new(*id).unwrap(), value).is_ok(), !first);
                expected.push((*id, value.clone()));
            }
            let p = Outgoing {
                ssrc: Ssrc(ssrc),
                index: SeqNo(index),
                header: Header {
                    pt: Pt::new(pt).unwrap(), marker, timestamp: RtpTime(ts), csrc: csrc.map(Ssrc), extensions,
                },
                prefix: Prefix::new(&prefix).unwrap(),
                tail: &tail,
                padding,
            };
            prop_assert!(extensions.iter().map(|(id, x)| (id, x.to_vec())).eq(expected.iter().cloned()));
            let mut out = [0xaa; 700];
            let h = p.write_header(&mut out).unwrap();
            let n = h + p.write_body(&mut out[h..]).unwrap();
            prop_assert_eq!(n, p.header_len() + p.body_len());
            let v = Packet::parse(&out[..n]).unwrap();
            prop_assert_eq!((v.ssrc(), v.seq(), v.timestamp()), (Ssrc(ssrc), SeqNo(index).seq(), RtpTime(ts)));
            prop_assert_eq!((v.pt().get(), v.marker(), v.padding()), (pt, marker, usize::from(padding)));
            prop_assert_eq!(v.csrcs().next(), csrc.map(Ssrc));
            prop_assert_eq!(v.payload(), [prefix, tail.clone()].concat());
            let read: Vec<_> = v.extensions().map(|(id, x)| (id.get(), x.to_vec())).collect();
            prop_assert_eq!(read, expected);
            prop_assert_eq!(p.write_header(&mut [0; 11]), Err(TooSmall));
        }
    }
}
