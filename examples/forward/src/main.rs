//! A room forwarded without sockets: packets go in as bytes, packets come out as bytes, and time is a number.

use salon_rtp::extension::ExtensionMap;
use salon_rtp::{Codec, Egress, MediaKind, Packet, Pt, Ssrc, Time};
use salon_sfu::{Config, EncodingSpec, Feedback, Room, SlotPayload, SlotSpec, Source, TrackSpec, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in forward()? {
        println!("{line}");
    }
    Ok(())
}

/// Ada speaks, Grace and Mary hear her; what was sent, one line per packet.
fn forward() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (extensions, feedback) = (ExtensionMap::EMPTY, Feedback::default());
    let opus = Pt::new(111).ok_or("a payload type")?;
    let mut room = Room::new(Config::default(), [7; 32]);
    let people = [room.join(Time::ZERO)?, room.join(Time::ZERO)?, room.join(Time::ZERO)?];
    for person in people {
        room.connected(Time::ZERO, person, true)?;
    }
    let encodings = vec![EncodingSpec { ssrc: Some(Ssrc(42)), ..EncodingSpec::default() }];
    let (source, codec) = (Source::Microphone, Codec::Opus);
    let spec =
        TrackSpec { mid: None, source, codec, pt: opus, rtx_pt: None, encodings, extensions, feedback };
    room.publish(Time::ZERO, people[0], spec)?;
    for listener in &people[1..] {
        let payloads = vec![SlotPayload { codec, pt: opus, rtx_pt: None }];
        let spec = SlotSpec { mid: None, kind: MediaKind::Audio, payloads, extensions, feedback };
        room.subscribe(Time::ZERO, *listener, spec)?;
    }

    let (mut lines, mut datagram) = (Vec::new(), [0; 1500]);
    for n in 0..5u8 {
        let now = Time::from_millis(20 * u64::from(n));
        let packet = [&[0x80, 111, 0, n, 0, 0, 4 * n, 0, 0, 0, 0, 42][..], b"sound"].concat();
        assert_eq!(room.handle_rtp(now, people[0], &packet), Verdict::Accepted);
        while let Some(mut burst) = room.poll_transmit(now) {
            let to = if burst.to() == people[1] { "Grace" } else { "Mary" };
            while let Some(egress) = burst.next() {
                let Egress::Rtp(out) = egress else { continue }; // Reports go beside it.
                let head = out.write_header(&mut datagram)?;
                let len = head + out.write_body(&mut datagram[head..])?;
                let sent = Packet::parse(&datagram[..len])?;
                lines.push(format!(
                    "{now:?} to {to}: number {} of {}, {:?}",
                    sent.seq().0,
                    sent.ssrc(),
                    sent.payload()
                ));
            }
        }
    }
    Ok(lines)
}

#[test]
fn five_packets_reach_two_listeners() {
    assert_eq!(forward().map(|lines| lines.len()).ok(), Some(10));
}
