//! Token buckets: so many requests at once, and one more whenever a little time has passed.

use std::sync::atomic::{AtomicI64, Ordering};

const SECOND: i64 = 1_000_000;
/// Milliseconds until it is told again that a bucket is empty.
const TOLD: i64 = 60_000;
/// As many requests as a bucket may hold.
const MOST: u32 = 1_000_000;

/// How large a bucket is, and how fast it fills. As text: `16/s`, or `16/s:50` for a bucket of 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    burst: u32,
    /// Microseconds until there is room for one more.
    interval: i64,
}

impl Rate {
    pub(crate) const fn per_second(count: u32, burst: u32) -> Self {
        Self { burst, interval: SECOND / count as i64 }
    }

    pub(super) const fn per_minute(count: u32, burst: u32) -> Self {
        Self { burst, interval: 60 * SECOND / count as i64 }
    }

    pub(super) const fn per_day(count: u32, burst: u32) -> Self {
        Self { burst, interval: 86_400 * SECOND / count as i64 }
    }

    /// Microseconds in which an empty bucket fills.
    const fn whole(self) -> i64 {
        self.interval * self.burst as i64
    }
}

/// A text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a number of requests and a unit of time, such as 16/s, 300/m or 5/d, and may have a burst: 16/s:50"
)]
pub struct NotARate;

impl std::str::FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (count, rest) = text.split_once('/').ok_or(NotARate)?;
        let (unit, burst) = rest.split_once(':').map_or((rest, count), |(unit, burst)| (unit, burst));
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(NotARate),
        };
        let number = |text: &str| {
            let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
            number.filter(|number| (1..=MOST).contains(number)).ok_or(NotARate)
        };
        Ok(Self { burst: number(burst)?, interval: seconds * SECOND / i64::from(number(count)?) })
    }
}

impl TryFrom<String> for Rate {
    type Error = NotARate;

    fn try_from(text: String) -> Result<Self, NotARate> {
        text.parse()
    }
}

/// How a bucket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How large it is.
    pub(crate) limit: u32,
    /// How many requests it still has room for.
    pub(crate) remaining: u32,
    /// When it is full again, in seconds since 1970; in Auth0 it is the same.
    pub(crate) reset: i64,
    /// Seconds until there is room for one, if there is none.
    pub(crate) retry_after: Option<i64>,
    /// It is empty, and that was not told within the last minute.
    pub(super) is_news: bool,
}

/// A bucket. What counts in it is one number, when it will be full, in microseconds since 1970 (the generic cell rate algorithm), so
/// that taking is one exchange of it and nothing has to be filled.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    full: AtomicI64,
    /// When it was told last that it is empty, in milliseconds since 1970.
    told: AtomicI64,
}

impl Bucket {
    /// Takes one request, if there is room.
    pub(crate) fn take(&self, rate: Rate, now_ms: i64) -> Result<Standing, Standing> {
        let now = now_ms * 1_000;
        let next = |full| {
            let full = later(full, rate, now);
            (full - now + rate.interval <= rate.whole()).then_some(full + rate.interval)
        };
        match self.full.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) {
            Ok(before) => Ok(standing(later(before, rate, now) + rate.interval, rate, now)),
            Err(full) => {
                let full = later(full, rate, now);
                let wait = full - now + rate.interval - rate.whole();
                Err(Standing {
                    retry_after: Some(seconds(wait).max(1)),
                    is_news: self.is_news(now_ms),
                    ..standing(full, rate, now)
                })
            }
        }
    }

    /// Whether it is time to tell that it is empty; then somebody does.
    fn is_news(&self, now_ms: i64) -> bool {
        let told = self.told.load(Ordering::Relaxed);
        let is_old = !(0..TOLD).contains(&(now_ms - told));
        is_old && self.told.compare_exchange(told, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// How it stands.
    pub(super) fn look(&self, rate: Rate, now_ms: i64) -> Standing {
        let now = now_ms * 1_000;
        standing(later(self.full.load(Ordering::Acquire), rate, now), rate, now)
    }
}

/// When the bucket is full, as seen now. No bucket takes longer than its whole size: who says so has seen the clock jump
/// back, and would have to wait for it.
fn later(full: i64, rate: Rate, now: i64) -> i64 {
    if full > now + rate.whole() { now } else { full.max(now) }
}

fn standing(full: i64, rate: Rate, now: i64) -> Standing {
    let room = (rate.whole() - (full - now)) / rate.interval;
    Standing {
        limit: rate.burst,
        remaining: u32::try_from(room).unwrap_or(0),
        reset: seconds(full),
        retry_after: None,
        is_news: false,
    }
}

fn seconds(micros: i64) -> i64 {
    micros.div_euclid(SECOND) + i64::from(micros.rem_euclid(SECOND) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let rate = |text: &str| text.parse::<Rate>();
        assert_eq!(rate("16/s:50"), Ok(Rate::per_second(16, 50)));
        assert_eq!(rate("300/m"), Ok(Rate::per_minute(300, 300)));
        assert_eq!(rate("5/d"), Ok(Rate::per_day(5, 5)));
        assert_eq!(rate("60/h:1"), Ok(Rate::per_minute(1, 1)));
        for wrong in
            ["", "16", "16/", "/s", "0/s", "16/s:0", "16/w", "-1/s", "+1/s", "1/s:", "1.5/s", "9999999/s"]
        {
            assert_eq!(rate(wrong), Err(NotARate), "{wrong}");
        }
    }

    #[test]
    fn a_bucket_empties_and_fills() {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(2, 4));
        let now = 1_700_000_000_000;
        for remaining in [3, 2, 1, 0] {
            let standing = bucket.take(rate, now).unwrap();
            assert_eq!((standing.limit, standing.remaining, standing.retry_after), (4, remaining, None));
        }
        let empty = bucket.take(rate, now).unwrap_err();
        assert_eq!((empty.remaining, empty.reset, empty.retry_after), (0, 1_700_000_002, Some(1)));
        assert_eq!(bucket.take(rate, now + 499).unwrap_err().retry_after, Some(1));
        assert_eq!(bucket.take(rate, now + 500).unwrap().remaining, 0);
        assert_eq!(bucket.look(rate, now + 10_000).remaining, 4);
        assert_eq!(
            bucket.take(rate, now + 10_000).unwrap().remaining,
            3,
            "silence saves no more than the size"
        );
    }

    #[test]
    fn an_empty_bucket_is_told_once_a_minute() {
        let (bucket, rate) = (Bucket::default(), Rate::per_day(1, 1));
        let now = 1_700_000_000_000;
        assert!(!bucket.take(rate, now).unwrap().is_news);
        let told = [0, 1, 59_999, 60_000, 60_001, 30_000].map(|later| {
            let refused = bucket.take(rate, now + later).unwrap_err();
            (later, refused.is_news)
        });
        assert_eq!(
            told,
            [(0, true), (1, false), (59_999, false), (60_000, true), (60_001, false), (30_000, true)],
            "also when the clock jumped back"
        );
    }

    #[test]
    fn the_largest_rates_there_are_can_be_kept() {
        let slowest = "1/d:1000000".parse::<Rate>().unwrap();
        let (bucket, now) = (Bucket::default(), 1_700_000_000_000);
        assert_eq!(bucket.take(slowest, now).unwrap().remaining, 999_999);
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out() {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(1, 2));
        assert!(bucket.take(rate, 1_000_000).is_ok() && bucket.take(rate, 1_000_000).is_ok());
        assert_eq!(bucket.take(rate, 500_000).unwrap().remaining, 1);
    }

    proptest! {
        /// In any stretch of time no more get through than the size and what flows in meanwhile.
        #[test]
        fn no_more_get_through_than_the_rate_allows(
            count in 1..50_u32,
            burst in 1..50_u32,
            steps in prop::collection::vec(0..400_i64, 1..200),
        ) {
            let (bucket, rate) = (Bucket::default(), Rate::per_second(count, burst));
            let start = 1_700_000_000_000;
            let (mut now, mut taken) = (start, 0_i64);
            for step in steps {
                now += step;
                let before = bucket.look(rate, now).remaining;
                let result = bucket.take(rate, now);
                prop_assert_eq!(result.is_ok(), before > 0);
                taken += i64::from(result.is_ok());
                let most = i64::from(burst) + (now - start) * 1_000 / rate.interval;
                prop_assert!(taken <= most, "{} of {}", taken, most);
            }
        }
    }
}
