//! Answers the offer on standard input: `cargo run -p salon-signal --example answer < offer.sdp`.
//!
//! What becomes of each section goes to standard error, the answer to standard output. The answer is one that a browser accepts, but
//! nobody listens at its address.

use std::io::{Read, Write};
use std::process::ExitCode;

use salon_rtp::Ssrc;
use salon_signal::{Fingerprint, Local, Offer, Plan, SlotLine, limits};

fn main() -> std::io::Result<ExitCode> {
    let mut text = String::new();
    // One byte more than is allowed, so that a longer offer is refused rather than cut.
    std::io::stdin().take(limits::OFFER_BYTES as u64 + 1).read_to_string(&mut text)?;
    let offer = match Offer::parse(&text) {
        Ok(offer) => offer,
        Err(error) => {
            eprintln!("{}: {error}", error.name());
            return Ok(ExitCode::FAILURE);
        }
    };
    for section in &offer.sections {
        let mid = section.mid.map_or("(no mid)".to_owned(), |m| m.to_string());
        match &section.plan {
            Plan::Rejected(reason) => eprintln!("{mid}: rejected: {reason}"),
            plan => {
                let sends =
                    plan.send().map(|s| format!(" sends {} in {}", s.codec.name(), s.encodings.len()));
                let names = |r: &salon_signal::ReceivePlan| {
                    r.payloads.iter().map(|p| p.codec.name()).collect::<Vec<_>>().join(", ")
                };
                let receives = plan.receive().map(|r| format!(" receives {}", names(r)));
                eprintln!("{mid}:{}{}", sends.unwrap_or_default(), receives.unwrap_or_default());
            }
        }
    }
    let streams: Vec<String> = (0..offer.sections.len()).map(|i| format!("slot-{i}")).collect();
    let slots: Vec<SlotLine<'_>> = offer
        .sections
        .iter()
        .zip(&streams)
        .zip(0_u32..)
        .filter(|((section, _), _)| section.plan.receive().is_some())
        .map(|((section, stream), nth)| SlotLine {
            section: section.index,
            ssrc: Ssrc(1000 + 2 * nth),
            rtx_ssrc: Some(Ssrc(1001 + 2 * nth)),
            stream,
            track: stream,
            cname: "salon",
        })
        .collect();
    let answer = offer.answer(&Local {
        ufrag: "exampleufrag",
        pwd: "an-example-is-no-secret/+",
        fingerprint: Fingerprint([0xe5; 32]),
        setup: offer.transport.setup,
        candidates: &[([127, 0, 0, 1], 9).into()],
        slots: &slots,
        refused: &[],
        session_id: 1,
        version: 1,
    });
    std::io::stdout().write_all(answer.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
