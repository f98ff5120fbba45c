//! Numbers of a measurement.

/// Samples of one quantity.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Takes a sample.
    pub fn push(&mut self, v: f64) {
        self.0.push(v);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value below which this share of the samples lies; not a number if there is none.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = ((sorted.len().max(1) - 1) as f64 * share).round() as usize;
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The greatest; not a number if there is none.
    pub fn worst(&self) -> f64 {
        self.quantile(1.0)
    }
}

impl core::fmt::Display for Figures {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "p50 {:.1} p90 {:.1} worst {:.1} (n={})",
            self.median(),
            self.quantile(0.9),
            self.worst(),
            self.len()
        )
    }
}
