//! Feedback on a transport's packets.

use super::raw;
use crate::rtcp::{Nack, Twcc};
use crate::webrtc_rs::ConvertError;
use ::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc,
    SymbolTypeTcc, TransportLayerCc,
};
use ::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use alloc::vec::Vec;

pub(super) fn nack(n: &Nack<'_>) -> TransportLayerNack {
    let pair = |(packet_id, lost_packets)| NackPair { packet_id, lost_packets };
    TransportLayerNack {
        sender_ssrc: n.sender.0,
        media_ssrc: n.media.0,
        nacks: n.pairs().map(pair).collect(),
    }
}

pub(super) fn write_nack(n: &TransportLayerNack, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if n.nacks.is_empty() {
        return Err(ConvertError::Count);
    }
    let mut body = [n.sender_ssrc.to_be_bytes(), n.media_ssrc.to_be_bytes()].concat();
    for pair in &n.nacks {
        body.extend(pair.packet_id.to_be_bytes());
        body.extend(pair.lost_packets.to_be_bytes());
    }
    out.extend_from_slice(&raw(205, 1, &body)?.0);
    Ok(())
}

/// Microseconds in a tick of a delta (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.5).
const TICK: i64 = 250;

pub(super) fn twcc(t: &Twcc<'_>) -> TransportLayerCc {
    let (chunks, mut deltas, symbols) = t.raw();
    let mut recv_deltas = Vec::new();
    for symbol in symbols {
        let (size, ticks) = match (symbol, deltas) {
            (1, [d, ..]) => (1, i64::from(*d)),
            (2, [a, b, ..]) => (2, i64::from(i16::from_be_bytes([*a, *b]))),
            _ => continue,
        };
        deltas = deltas.get(size..).unwrap_or(&[]);
        recv_deltas.push(RecvDelta { type_tcc_packet: symbol_type(symbol.into()), delta: ticks * TICK });
    }
    TransportLayerCc {
        sender_ssrc: t.sender.0,
        media_ssrc: t.media.0,
        base_sequence_number: t.base().0,
        packet_status_count: t.len() as u16,
        // They keep the 24 bits as they travel, without their sign.
        reference_time: t.reference() as u32 & 0xff_ffff,
        fb_pkt_count: t.count,
        packet_chunks: chunks.chunks_exact(2).map(|c| chunk(u16::from_be_bytes([c[0], c[1]]))).collect(),
        recv_deltas,
    }
}

/// A chunk of theirs (§3.1.2 to §3.1.4).
fn chunk(word: u16) -> PacketStatusChunk {
    let list = |bits: u16, len: u16| {
        (1..=len).map(move |i| symbol_type(word >> (14 - bits * i) & ((1 << bits) - 1)))
    };
    match word >> 14 {
        0 | 1 => PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            type_tcc: StatusChunkTypeTcc::RunLengthChunk,
            packet_status_symbol: symbol_type(word >> 13 & 3),
            run_length: word & 0x1fff,
        }),
        2 => PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
            type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
            symbol_size: SymbolSizeTypeTcc::OneBit,
            symbol_list: list(1, 14).collect(),
        }),
        _ => PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
            type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
            symbol_size: SymbolSizeTypeTcc::TwoBit,
            symbol_list: list(2, 7).collect(),
        }),
    }
}

fn symbol_type(symbol: u16) -> SymbolTypeTcc {
    match symbol & 3 {
        0 => SymbolTypeTcc::PacketNotReceived,
        1 => SymbolTypeTcc::PacketReceivedSmallDelta,
        2 => SymbolTypeTcc::PacketReceivedLargeDelta,
        _ => SymbolTypeTcc::PacketReceivedWithoutDelta,
    }
}

pub(super) fn write_twcc(t: &TransportLayerCc, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if t.reference_time >> 24 != 0 {
        return Err(ConvertError::Number);
    }
    let mut body = [t.sender_ssrc.to_be_bytes(), t.media_ssrc.to_be_bytes()].concat();
    body.extend(t.base_sequence_number.to_be_bytes());
    body.extend(t.packet_status_count.to_be_bytes());
    body.extend((t.reference_time << 8 | u32::from(t.fb_pkt_count)).to_be_bytes());
    let (mut left, mut symbols) = (usize::from(t.packet_status_count), Vec::new());
    for chunk in &t.packet_chunks {
        // A chunk beyond the last packet would be read as deltas.
        if left == 0 {
            return Err(ConvertError::Feedback);
        }
        let (word, list) = word(chunk)?;
        body.extend(word.to_be_bytes());
        symbols.extend(list.into_iter().take(left));
        left = usize::from(t.packet_status_count) - symbols.len();
    }
    let received = symbols.iter().filter(|s| **s != SymbolTypeTcc::PacketNotReceived);
    let same = received.clone().eq(t.recv_deltas.iter().map(|d| &d.type_tcc_packet));
    if left > 0 || !same {
        return Err(ConvertError::Feedback);
    }
    for d in &t.recv_deltas {
        let ticks = d.delta / TICK;
        if d.delta % TICK != 0 {
            return Err(ConvertError::Number);
        }
        match d.type_tcc_packet {
            SymbolTypeTcc::PacketReceivedSmallDelta => {
                body.push(u8::try_from(ticks).map_err(|_| ConvertError::Number)?)
            }
            SymbolTypeTcc::PacketReceivedLargeDelta => {
                body.extend(i16::try_from(ticks).map_err(|_| ConvertError::Number)?.to_be_bytes());
            }
            // The draft reserves the fourth symbol (§3.1.1).
            _ => return Err(ConvertError::Feedback),
        }
    }
    out.extend_from_slice(&raw(205, 15, &body)?.0);
    Ok(())
}

/// A chunk as it travels, and its symbols.
fn word(chunk: &PacketStatusChunk) -> Result<(u16, Vec<SymbolTypeTcc>), ConvertError> {
    match chunk {
        PacketStatusChunk::RunLengthChunk(r) if r.run_length < 1 << 13 => {
            let symbol = r.packet_status_symbol;
            Ok(((symbol as u16) << 13 | r.run_length, alloc::vec![symbol; r.run_length.into()]))
        }
        PacketStatusChunk::RunLengthChunk(_) => Err(ConvertError::Number),
        PacketStatusChunk::StatusVectorChunk(v) => {
            let (head, bits, len) = match v.symbol_size {
                SymbolSizeTypeTcc::OneBit => (0x8000, 1, 14),
                SymbolSizeTypeTcc::TwoBit => (0xc000, 2, 7),
            };
            if v.symbol_list.len() != len || v.symbol_list.iter().any(|s| *s as u16 >> bits != 0) {
                return Err(ConvertError::Feedback);
            }
            let places = v.symbol_list.iter().zip(1u16..);
            Ok((places.fold(head, |w, (s, i)| w | (*s as u16) << (14 - bits * i)), v.symbol_list.clone()))
        }
    }
}
