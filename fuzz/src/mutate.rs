//! Changes such as a broken or a hostile sender makes, reproducible from a number.

// The changes of bytes are kept where the smallest crate that needs them has its tests.
#[allow(unreachable_pub)]
#[path = "../../crates/rtp/tests/mutate/mod.rs"]
mod of_bytes;

pub use of_bytes::{Dice, bytes};

/// Words that mean much in the texts that clients send.
const WORDS: [&str; 16] = [
    "",
    "0",
    "-1",
    "127",
    "128",
    "65536",
    "99999999999999999999",
    "é",
    "recvonly",
    "inactive",
    "~q,h;;",
    "*",
    "null",
    "\"\"",
    "[[[[[[[[[",
    "{\"type\":\"join\"}",
];

/// One change of a text of lines or of JSON: of words, of the order and number of lines.
pub fn text(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let ends = |b: u8| matches!(b, b'\n' | b',' | b'}');
    let pieces = |t: &[u8]| t.split_inclusive(|&b| ends(b)).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut lines = pieces(bytes);
    let n = lines.len();
    let at = dice.below(n);
    match dice.below(8) {
        0 if n > 0 => drop(lines.remove(at)),
        1 if n > 0 => lines.insert(dice.below(n), lines[at].clone()),
        2 if n > 0 => {
            let line = lines.remove(at);
            lines.insert(dice.below(n), line);
        }
        3 => {
            let theirs = pieces(other);
            if !theirs.is_empty() {
                lines.insert(at, theirs[dice.below(theirs.len())].clone());
            }
        }
        4 if n > 0 => bytes_of_line(dice, &mut lines[at]),
        _ if n > 0 => {
            let ends = |b: u8| matches!(b, b' ' | b':' | b'=' | b';' | b'/' | b'"');
            let mut words: Vec<&[u8]> = lines[at].split_inclusive(|&b| ends(b)).collect();
            let which = dice.below(words.len());
            words[which] = WORDS[dice.below(WORDS.len())].as_bytes();
            lines[at] = words.concat();
        }
        _ => {}
    }
    *bytes = lines.concat();
}

fn bytes_of_line(dice: &mut Dice, line: &mut Vec<u8>) {
    let copy = line.clone();
    bytes(dice, line, &copy);
}
