//! What sealing and opening cost, beside the bare cipher that they use and beside `webrtc-srtp`.
//!
//! The bare cipher is told its nonce, and neither builds a header, nor keeps a window, nor finds a stream.
#![allow(clippy::unwrap_used, missing_docs)]

mod settings;

use std::hint::black_box;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use salon_benches::samples;
use salon_rtp::{OutExtensions, Outgoing};
use salon_srtp::{Inbound, MasterKey, Outbound, Profile, limits};
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

criterion_group! { name = ciphers; config = settings::settings(); targets = seal, open }
criterion_main!(ciphers);

/// Bytes of payload: sound, and a picture.
const SIZES: [usize; 2] = [100, 1_200];
/// Packets that stand ready while opening is measured.
const BATCH: BatchSize = BatchSize::NumIterations(64);
/// A header without CSRC and extension.
const HEADER: usize = 12;

fn master(profile: Profile) -> MasterKey {
    MasterKey::new(profile, &[7; 32][..profile.key_len()], &[9; 14][..profile.salt_len()]).unwrap()
}

fn packet(index: u64, payload: &[u8]) -> Outgoing<'_> {
    samples::outgoing(OutExtensions::NONE, index, payload)
}

/// `webrtc-srtp` with the same keys, and with a window as it can have one.
fn theirs(profile: Profile) -> Context {
    let named = match profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        other => unreachable!("`webrtc-srtp` has no {}", other.name()),
    };
    let window = webrtc_srtp::option::srtp_replay_protection(limits::REPLAY_WINDOW);
    let (key, salt) = (&[7; 32][..profile.key_len()], &[9; 14][..profile.salt_len()]);
    Context::new(key, salt, named, Some(window), None).unwrap()
}

fn id(who: &str, profile: Profile, size: usize) -> BenchmarkId {
    BenchmarkId::new(who, format!("{} {size}", profile.name()))
}

/// From the payload where it lies to the datagram.
fn seal(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp seal");
    for &profile in Profile::ALL {
        for size in SIZES {
            let (payload, mut out) = (vec![0xa5; size], [0; 1_500]);
            group.throughput(Throughput::Bytes(size as u64));
            let bare = Bare::new(profile);
            let mut n = 0;
            group.bench_function(id("bare", profile, size), |b| {
                b.iter(|| {
                    n += 1;
                    bare.seal(n, black_box(&payload), black_box(&mut out[..HEADER + size + 20]))
                });
            });
            let mut outbound = Outbound::new(&master(profile), limits::DEFAULT_SENT_WINDOW).unwrap();
            let mut index = 0;
            group.bench_function(id("salon", profile, size), |b| {
                b.iter(|| {
                    index += 1;
                    outbound.seal_rtp(&packet(index, black_box(&payload)), black_box(&mut out)).unwrap()
                });
            });
            let (mut context, mut plain, mut seq) =
                (theirs(profile), samples::plain(&packet(0, &payload)), 0u16);
            group.bench_function(id("webrtc-srtp", profile, size), |b| {
                b.iter(|| {
                    seq = seq.wrapping_add(1);
                    plain[2..4].copy_from_slice(&seq.to_be_bytes());
                    context.encrypt_rtp(black_box(&plain)).unwrap()
                });
            });
        }
    }
    group.finish();
}

/// From the datagram to the packet in plain text.
fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp open");
    for &profile in Profile::ALL {
        for size in SIZES {
            let payload = vec![0xa5; size];
            group.throughput(Throughput::Bytes(size as u64));
            let bare = Bare::new(profile);
            let mut n = 0;
            let mut fresh = || {
                n += 1;
                let mut datagram = vec![0; HEADER + size + 20];
                bare.seal(n, &payload, &mut datagram);
                (n, datagram)
            };
            group.bench_function(id("bare", profile, size), |b| {
                b.iter_batched_ref(&mut fresh, |(n, datagram)| bare.open(*n, black_box(datagram)), BATCH);
            });
            let mut inbound = Inbound::new(&master(profile)).unwrap();
            let mut fresh = sender(profile, &payload);
            group.bench_function(id("salon", profile, size), |b| {
                b.iter_batched_ref(
                    &mut fresh,
                    |datagram| inbound.open_rtp(black_box(datagram)).unwrap().len(),
                    BATCH,
                );
            });
            let (mut context, mut fresh) = (theirs(profile), sender(profile, &payload));
            group.bench_function(id("webrtc-srtp", profile, size), |b| {
                b.iter_batched_ref(
                    &mut fresh,
                    |datagram| context.decrypt_rtp(black_box(datagram)).unwrap(),
                    BATCH,
                );
            });
        }
    }
    group.finish();
}

/// Sealed packets of a new stream, one after the other.
fn sender(profile: Profile, payload: &[u8]) -> impl FnMut() -> Vec<u8> {
    let mut outbound = Outbound::new(&master(profile), limits::DEFAULT_SENT_WINDOW).unwrap();
    let (mut index, mut out) = (0, [0; 1_500]);
    move || {
        index += 1;
        let n = outbound.seal_rtp(&packet(index, payload), &mut out).unwrap();
        out[..n].to_vec()
    }
}

/// The cipher as its library gives it, with a nonce that is a number.
enum Bare {
    Gcm(Box<LessSafeKey>),
    CounterMode(Box<(EncryptingKey, hmac::Key)>),
}

impl Bare {
    fn new(profile: Profile) -> Self {
        let gcm = |algorithm, key: &[u8]| {
            Self::Gcm(Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap())))
        };
        match profile {
            Profile::AeadAes128Gcm => gcm(&AES_128_GCM, &[7; 16]),
            Profile::AeadAes256Gcm => gcm(&AES_256_GCM, &[7; 32]),
            Profile::Aes128CmHmacSha1_80 => Self::CounterMode(Box::new((
                UnboundCipherKey::new(&AES_128, &[7; 16]).and_then(EncryptingKey::ctr).unwrap(),
                hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[5; 20]),
            ))),
            other => unreachable!("the bare cipher of {} is not measured", other.name()),
        }
    }

    /// `out`: a header, room for the payload, twenty bytes of which the tag takes the first.
    fn seal(&self, n: u64, payload: &[u8], out: &mut [u8]) {
        match self {
            Self::Gcm(key) => {
                let (header, rest) = out.split_at_mut(HEADER);
                let (body, rest) = rest.split_at_mut(payload.len());
                let (nonce, aad) = (nonce(n), Aad::from(&*header));
                key.seal_out_of_place_scatter(nonce, aad, payload, body, &[], &mut rest[..16]).unwrap();
            }
            Self::CounterMode(keys) => {
                let (key, auth) = &**keys;
                let (packet, rest) = out.split_at_mut(HEADER + payload.len());
                packet[HEADER..].copy_from_slice(payload);
                crypt(key, n, &mut packet[HEADER..]);
                rest[..10].copy_from_slice(&hmac::sign(auth, packet).as_ref()[..10]);
            }
        }
    }

    fn open(&self, n: u64, datagram: &mut [u8]) {
        let end = datagram.len() - 20;
        let (packet, rest) = datagram.split_at_mut(end);
        match self {
            Self::Gcm(key) => {
                let (header, body) = packet.split_at_mut(HEADER);
                key.open_in_place_separate_tag(nonce(n), Aad::from(&*header), &rest[..16], body).unwrap();
            }
            Self::CounterMode(keys) => {
                let (key, auth) = &**keys;
                let tag = hmac::sign(auth, packet);
                assert_eq!(tag.as_ref()[..10], rest[..10]);
                crypt(key, n, &mut packet[HEADER..]);
            }
        }
    }
}

fn nonce(n: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&n.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn crypt(key: &EncryptingKey, n: u64, body: &mut [u8]) {
    let mut iv = [0; 16];
    iv[..8].copy_from_slice(&n.to_be_bytes());
    let _ = key.less_safe_encrypt(body, EncryptionContext::Iv128(FixedLength::from(iv))).unwrap();
}
