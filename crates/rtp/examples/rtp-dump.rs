//! Prints the RTP streams of a capture: who sends, how much was lost and how unevenly it came, what the codec says.
//!
//! ```sh
//! cargo run -p salon-rtp --example rtp-dump -- crates/rtp/tests/data/vp8.lp --codec 96=vp8
//! ```
//!
//! It reads pcap files (Ethernet, Linux cooked, loopback, raw IP) and `.lp` flows (records of `u32le length, u64le arrival in
//! µs, bytes`). Which codec a payload type means stands in a session description, not in the packets: without `--codec` it
//! says which codecs' readers accept them, which proves nothing. What is encrypted shows its headers only.

#[path = "rtp-dump/capture.rs"]
mod capture;
#[path = "rtp-dump/codecs.rs"]
mod codecs;
#[path = "rtp-dump/streams.rs"]
mod streams;

use capture::Capture;
use codecs::Kind;
use salon_rtp::Pt;
use std::collections::BTreeMap;
use std::process::ExitCode;
use streams::Streams;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "usage: rtp-dump FILE [--codec PT=NAME]...\n\
    names: opus vp8 vp9 av1 h264 h265 red rtx pcmu pcma";

/// Reads the file that the arguments name, and says what is in it.
fn run(mut args: impl Iterator<Item = String>) -> Result<String, String> {
    let (mut path, mut codecs) = (None, BTreeMap::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--codec" => {
                let value = args.next().ok_or(USAGE)?;
                let (pt, name) = value.split_once('=').ok_or(USAGE)?;
                let pt =
                    pt.parse().ok().and_then(Pt::new).ok_or_else(|| format!("{pt} is no payload type"))?;
                codecs.insert(
                    pt,
                    Kind::named(name).ok_or_else(|| format!("no codec is called {name}\n{USAGE}"))?,
                );
            }
            "--help" | "-h" => return Ok(format!("{USAGE}\n")),
            _ if path.is_none() && !arg.starts_with('-') => path = Some(arg),
            _ => return Err(USAGE.into()),
        }
    }
    let path = path.ok_or(USAGE)?;
    let bytes = std::fs::read(&path).map_err(|e| format!("{path}: {e}"))?;
    dump(&bytes, codecs).map_err(|e| format!("{path}: {e}"))
}

fn dump(bytes: &[u8], codecs: BTreeMap<Pt, Kind>) -> Result<String, String> {
    let mut capture = Capture::open(bytes)?;
    let mut streams = Streams::new(codecs);
    for datagram in capture.by_ref() {
        streams.take(&datagram);
    }
    let mut out = streams.to_string();
    for (why, count) in capture.skipped() {
        out += &format!("skipped: {count} × {why}\n");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(pt: u8, name: &str) -> BTreeMap<Pt, Kind> {
        BTreeMap::from([(Pt::new(pt).unwrap(), Kind::named(name).unwrap())])
    }

    #[test]
    fn a_flow_of_vp8_says_its_size_and_keys() {
        let flow = include_bytes!("../tests/data/vp8.lp");
        let text = dump(flow, codec(96, "vp8")).unwrap();
        assert!(text.contains("104 packets"), "{text}");
        assert!(text.contains("3 key frames") && text.contains("240 × 180"), "{text}");
        // Without being told it says what could be, and no more.
        let text = dump(flow, BTreeMap::new()).unwrap();
        assert!(text.contains("codec not told") && !text.contains("key frames"), "{text}");
    }

    #[test]
    fn a_flow_of_h264_says_its_parameter_sets() {
        let text = dump(include_bytes!("../tests/data/h264.lp"), codec(126, "h264")).unwrap();
        assert!(text.contains("298 packets") && text.contains("1 unreadable"), "{text}");
        assert!(text.contains("7 parameter sets"), "{text}");
    }

    #[test]
    fn a_file_cut_anywhere_is_read_as_far_as_it_goes() {
        let flow = include_bytes!("../tests/data/vp8.lp");
        for len in (0..flow.len()).step_by(997) {
            let _ = dump(&flow[..len], codec(96, "vp8"));
        }
        assert!(dump(&[], BTreeMap::new()).is_err());
        assert!(dump(&[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0], BTreeMap::new()).unwrap_err().contains("pcapng"));
    }

    #[test]
    fn arguments_are_checked() {
        let run = |args: &[&str]| run(args.iter().map(|a| a.to_string()));
        assert!(run(&[]).is_err() && run(&["--codec"]).is_err() && run(&["a", "b"]).is_err());
        assert!(run(&["x", "--codec", "200=vp8"]).unwrap_err().contains("payload type"));
        assert!(run(&["x", "--codec", "96=theora"]).unwrap_err().contains("theora"));
        assert!(run(&["/nowhere.pcap"]).unwrap_err().starts_with("/nowhere.pcap"));
        assert!(run(&["-h"]).unwrap().contains("usage"));
    }
}
