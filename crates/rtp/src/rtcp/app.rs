//! Messages of an application's own.

use super::{HEADER, kind, open, ssrc};
use crate::{Error, Ssrc, TooSmall};
use bytes::BufMut;

/// An application-defined packet (RFC 3550 §6.7). What its data means, its name says to those who know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct App<'a> {
    /// Which of the application's packets it is: 0 to 31; written modulo 32.
    pub subtype: u8,
    /// Who sends it.
    pub sender: Ssrc,
    /// Four characters of ASCII, chosen by the application; upper and lower case differ.
    pub name: [u8; 4],
    /// The data, padding taken off. The RFC wants whole words, senders with padding have any length.
    pub data: &'a [u8],
}

impl<'a> App<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, Error> {
        let (sender, rest) = ssrc(body)?;
        let (&name, data) = rest.split_first_chunk().ok_or(Error::RtcpLength)?;
        Ok(Self { subtype: count, sender, name, data })
    }

    /// Writes it; data that ends in mid word is followed by padding that says so (RFC 3550 §6.4.1).
    pub fn write(&self, out: &mut impl BufMut) -> Result<(), TooSmall> {
        let bare = HEADER + 8 + self.data.len();
        let len = bare.next_multiple_of(4);
        open(out, self.subtype, kind::APP, len, len > bare)?;
        out.put_u32(self.sender.0);
        out.put_slice(&self.name);
        out.put_slice(self.data);
        if len > bare {
            out.put_bytes(0, len - bare - 1);
            out.put_u8((len - bare) as u8);
        }
        Ok(())
    }
}
