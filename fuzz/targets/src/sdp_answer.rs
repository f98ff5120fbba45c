#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    _ = salon_fuzz::run("sdp_answer", bytes);
});
