//! How all of these measure: many short samples, several times over (see `run`), rather than one long stretch that a busy moment spoils.

use std::time::Duration;

use criterion::Criterion;

/// For every group.
pub(crate) fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .sample_size(20)
        .nresamples(2_000)
        .without_plots()
}
