//! How often property tests try: ten thousand cases in each run; a million with
//! `PROPTEST_CASES=1000000 cargo test --release -p salon-rtp`.

use proptest::prelude::ProptestConfig;

/// At least `least` cases; `PROPTEST_CASES` asks for more.
pub(crate) fn cases(least: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let asked = default.cases;
    // The default says 256 where nobody asked. The least case that fails is printed, and nothing kept beside the source.
    ProptestConfig { cases: asked.max(least), failure_persistence: None, ..default }
}
