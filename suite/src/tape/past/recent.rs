use std::{collections::VecDeque, time::Duration};

/// When something happened the last few times.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    times: VecDeque<Duration>,
}

impl Recent {
    /// It happens; only the last `room` times are remembered.
    pub(super) fn note(&mut self, now: Duration, room: usize) {
        if self.times.len() == room {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// How often it happened in the window that ends now, `now` itself apart. None in a tape
    /// that tells no times.
    pub fn within(&self, window: Duration, now: Duration) -> Option<usize> {
        if now.is_zero() {
            return None;
        }
        let recent = self.times.iter().rev();
        Some(
            recent
                .take_while(|at| now.saturating_sub(**at) < window)
                .count(),
        )
    }
}
