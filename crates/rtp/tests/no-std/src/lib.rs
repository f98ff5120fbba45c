//! Reads and writes with `salon-rtp` on a machine that has no operating system, and whose allocator refuses everything.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use salon_rtp::extension::descriptor::DescriptorReader;
use salon_rtp::extension::{ExtensionMap, Values};
use salon_rtp::payload::{
    av1::Av1Payload, h264::H264Payload, h265::H265Payload, vp8::Vp8Descriptor, vp9::Vp9Descriptor,
};
use salon_rtp::rtcp::{Compound, Pli, RtcpPacket};
use salon_rtp::{Packet, SeqNo};

/// Reads a datagram and writes an answer into `out`: how many bytes of it. (Its callers are on the other side of a link.)
pub fn answer(datagram: &[u8], map: &ExtensionMap, reader: &mut DescriptorReader, out: &mut [u8]) -> usize {
    if let Ok(compound) = Compound::parse(datagram) {
        return compound.iter().filter(|p| matches!(p, RtcpPacket::Nack(_))).count();
    }
    let Ok(packet) = Packet::parse(datagram) else { return 0 };
    let payload = packet.payload();
    let values = Values::read(&packet, map);
    let described = values.descriptor.is_some_and(|d| reader.read(SeqNo(0), d).is_ok());
    let known = described
        || Vp8Descriptor::parse(payload).is_ok()
        || Vp9Descriptor::parse(payload).is_ok()
        || Av1Payload::parse(payload).is_ok()
        || H264Payload::parse(payload).is_ok()
        || H265Payload::parse(payload).is_ok();
    let room = out.len();
    let mut free = out;
    let pli = Pli { sender: packet.ssrc(), media: packet.ssrc() };
    if known && pli.write(&mut free).is_ok() { room - free.len() } else { 0 }
}

/// What C would call.
#[unsafe(no_mangle)]
pub extern "C" fn salon_rtp_self_test() -> usize {
    let datagram = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0, 0, 0];
    answer(&datagram, &ExtensionMap::EMPTY, &mut DescriptorReader::default(), &mut [0; 64])
}

struct Nothing;

// SAFETY: a null pointer is how an allocator refuses; what was never given is never given back.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
