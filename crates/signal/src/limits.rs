//! Bounds, each with its reason.

/// Bytes of an offer. Chromium spends 4.8 kB on each receive-only video section, so that this holds some fifty of them.
pub const OFFER_BYTES: usize = 256 * 1024;

/// Media sections of an offer: more slots than a screen has tiles; a second offer may not grow past it either, because
/// stopped sections keep their line (RFC 3264 §8).
pub const SECTIONS: usize = 128;

/// Encodings of one section: browsers send up to three; the rest of a longer list is not accepted.
pub const ENCODINGS: usize = 4;

/// `a=rid` lines of one section that are read; lists of alternatives are short.
pub const RIDS: usize = 16;

/// SSRCs and pairs of them that are read in one section: three encodings, their repair, and some.
pub const SSRCS: usize = 32;

/// Characters of one word of an `m=` line, all of which go back into the answer where the section is rejected.
pub const WORD: usize = 64;

/// Characters of a stream or track id (`a=msid`, RFC 8830 §2 says 64).
pub const MSID: usize = 64;
