//! Vectors that stand as lines of text.

/// The lines that are no comments.
pub(crate) fn of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|l| !l.starts_with('#') && !l.is_empty())
}

/// Bytes from hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let nibble = |b: u8| (b as char).to_digit(16).unwrap() as u8;
    digits.as_bytes().chunks(2).map(|c| nibble(c[0]) << 4 | nibble(c[1])).collect()
}
