//! In steady state neither sealing nor opening touches the heap.

use salon_rtp::{Header, OutExtensions, Outgoing, Prefix, Pt, RtpTime, SeqNo, Ssrc};
use salon_srtp::{Inbound, MasterKey, Outbound, Profile};

#[test]
fn sealing_and_opening_allocate_nothing_once_the_streams_are_known() {
    for &profile in Profile::ALL {
        let (key, salt) = ([1; 32], [2; 14]);
        let master = MasterKey::new(profile, &key[..profile.key_len()], &salt[..profile.salt_len()]).unwrap();
        let mut outbound = Outbound::new(&master, 2048).unwrap();
        let mut inbound = Inbound::new(&master).unwrap();
        let tail = [0x77; 1_100];
        let mut out = [0; 1_400];
        let mut exchange = |index: u64| {
            for (ssrc, prefix, padding) in [(1, &[][..], 0), (2, &[1, 2, 3], 0), (3, &[], 9)] {
                let header = Header {
                    pt: Pt::new(96).unwrap(),
                    marker: false,
                    timestamp: RtpTime(0),
                    csrc: Some(Ssrc(9)),
                    extensions: OutExtensions::NONE,
                };
                let packet = Outgoing {
                    ssrc: Ssrc(ssrc),
                    index: SeqNo(index),
                    header,
                    prefix: Prefix::new(prefix).unwrap(),
                    tail: &tail,
                    padding,
                };
                let n = outbound.seal_rtp(&packet, &mut out).unwrap();
                assert!(inbound.open_rtp(&mut out[..n]).is_ok());
                assert!(inbound.open_rtp(&mut out[..n]).is_err());
            }
            let n = outbound.seal_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 5], &mut out).unwrap();
            assert!(inbound.open_rtcp(&mut out[..n]).is_ok());
        };
        exchange(0);
        let counted = allocation_counter::measure(|| (1..10_000).for_each(&mut exchange));
        assert_eq!(counted.count_total, 0, "{profile:?}");
    }
}
