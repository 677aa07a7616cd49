//! Durations of the same thing, many times, and what is told of them.

use std::time::Duration;

/// Durations of one thing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    /// One more.
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest duration that at least `percent` percent of all do not exceed; zero when there are none.
    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "counts of measurements are small"
        )]
        let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The one in the middle.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50.0)
    }

    /// Median and, in brackets, the span from the 10th to the 90th percentile, in milliseconds.
    pub(crate) fn told(&self) -> String {
        let [low, high] = [10.0, 90.0].map(|percent| ms(self.percentile(percent)));
        format!("{} ms ({low}-{high})", ms(self.median()))
    }
}

/// Milliseconds: whole ones from ten upwards, else with one digit.
pub(crate) fn ms(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1_000.0;
    if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}

/// How much longer one took than the other, by their medians.
pub(crate) fn ratio(one: &Durations, other: &Durations) -> f64 {
    one.median().as_secs_f64() / other.median().as_secs_f64().max(f64::EPSILON)
}
