//! What libFuzzer drives: one binary for all targets, of which SALON_FUZZ_TARGET names one (`fuzz/run` builds it, and sets that).
#![no_main]

use salon_fuzz::Target;
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("SALON_FUZZ_TARGET").unwrap_or_default();
    salon_fuzz::target(&name).unwrap_or_else(|| {
        let names: Vec<_> = salon_fuzz::TARGETS.iter().map(|t| t.name).collect();
        eprintln!("SALON_FUZZ_TARGET must be one of: {}", names.join(" "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    _ = (TARGET.body)(bytes);
});
