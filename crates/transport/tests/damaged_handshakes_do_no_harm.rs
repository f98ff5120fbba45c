//! Handshake datagrams, damaged, from the right address: whoever sends them may end its own handshake, and nothing else.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::World;
use core::time::Duration;
use salon_transport::Setup;
use str0m::config::DtlsVersion;

/// Numbers that look random and come again (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Offsets of lengths and numbers: record epoch, sequence and length (RFC 6347 §4.1), message type and length, message
/// number, fragment offset and length (§4.2.2).
const FIELDS: [usize; 14] = [0, 3, 4, 10, 11, 12, 13, 14, 16, 18, 19, 21, 22, 24];

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = FIELDS[random.below(FIELDS.len())].min(bytes.len() - 1);
        match random.below(5) {
            0 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            1 => bytes[at] = bytes[at].wrapping_add(1),
            2 => bytes[at] = bytes[at].wrapping_sub(1),
            3 => {
                let any = random.below(bytes.len());
                bytes[any] ^= 1 << random.below(8);
            }
            _ => bytes.truncate(1 + random.below(bytes.len())),
        }
    }
}

#[test]
fn damaged_datagrams_in_every_state_neither_panic_nor_pile_up() {
    let (mut connected, mut ended) = (0, 0);
    for seed in 0..400 {
        let mut random = Random(seed);
        let setup = if seed % 2 == 0 { Setup::Passive } else { Setup::Active };
        let mut w = World::new();
        // Somebody else, who is not concerned.
        let m = w.join(Setup::Passive, DtlsVersion::Dtls12);
        w.connect(m);
        let n = w.join(setup, DtlsVersion::Dtls12);
        let caught = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let into = caught.clone();
        let theirs = w.clients[n].outside;
        w.wire = Box::new(move |_, d| {
            if d.to_us && d.is_dtls() && d.path.remote == theirs {
                into.borrow_mut().push(d.bytes.clone());
            }
            true
        });
        for _ in 0..60 {
            w.run(Duration::from_millis(5));
            let seen = caught.borrow().clone();
            if let Some(original) = (!seen.is_empty()).then(|| &seen[random.below(seen.len())]) {
                let mut bytes = original.clone();
                damage(&mut random, &mut bytes);
                w.hand(theirs, &bytes);
            }
        }
        let linked = w.is_linked(n);
        connected += usize::from(linked);
        ended += usize::from(w.transport.len() == 1);
        w.assert_media(m, seed + 1);
        assert!(w.sent.len() < 300, "no flood: {}", w.sent.len());
    }
    println!("of 400 damaged handshakes {connected} ended well, {ended} ended the peer");
    assert!(connected > 50, "{connected}");
}

#[test]
fn endless_fragments_end_the_peer_that_sends_them_and_are_freed() {
    let mut w = World::new();
    let n = w.join(Setup::Passive, DtlsVersion::Dtls12);
    w.wire = Box::new(|_, d| !d.is_dtls());
    w.run(Duration::from_millis(300));
    let at = w.clients[n].outside;
    let before = w.transport.len();
    let info = allocation_counter::measure(|| {
        for k in 0..2_000u32 {
            // A ClientHello of 16 MB, in pieces of 1,400 bytes at offsets that never meet.
            let mut d = vec![22, 254, 253, 0, 0, 0, 0];
            d.extend(k.to_be_bytes());
            d.extend(1_412u16.to_be_bytes());
            d.extend([1, 0xff, 0xff, 0xff, 0, 0]);
            d.extend(&(5_000 * k + 7).to_be_bytes()[1..]);
            d.extend(&1_400u32.to_be_bytes()[1..]);
            d.extend([7; 1_400]);
            w.hand(at, &d);
        }
    });
    assert_eq!(before, 1);
    assert!(info.bytes_current < 256 * 1024, "{} bytes held", info.bytes_current);
    w.run(Duration::from_secs(31));
    assert!(w.transport.is_empty());
}
