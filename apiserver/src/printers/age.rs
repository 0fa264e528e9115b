//! How long ago something was, as tables say it.
//!
//! Upstream: `HumanDuration` in `k8s.io/apimachinery/pkg/util/duration`, and
//! `translateTimestampSince` in `pkg/printers/internalversion/printers.go`.

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24;
const YEAR: i64 = 365 * DAY;

/// The time between two times in RFC 3339 with `Z`; `<unknown>` where the first is none.
pub(super) fn between(from: &str, to: &str) -> String {
    match (seconds(from), seconds(to)) {
        (Some(from), Some(to)) => human(to - from),
        _ => "<unknown>".to_owned(),
    }
}

/// A number of seconds in at most two units, the coarser the longer it is.
fn human(seconds: i64) -> String {
    // The numbers of hours up to which there are so many units are upstream's.
    let two = |major: i64, unit: &str, minor: i64, finer: &str| {
        if minor == 0 {
            format!("{major}{unit}")
        } else {
            format!("{major}{unit}{minor}{finer}")
        }
    };
    let (minutes, hours) = (seconds / MINUTE, seconds / HOUR);
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        _ if minutes < 3 * 60 => format!("{minutes}m"),
        _ if hours < 8 => two(hours, "h", minutes % 60, "m"),
        _ if hours < 2 * DAY => format!("{hours}h"),
        _ if hours < 8 * DAY => two(hours / DAY, "d", hours % DAY, "h"),
        _ if hours < 2 * YEAR => format!("{}d", hours / DAY),
        _ if hours < 8 * YEAR => two(hours / YEAR, "y", hours / DAY % 365, "d"),
        _ => format!("{}y", hours / YEAR),
    }
}

/// The seconds since 1970 of a time as the server stores it; what is finer is cut off.
fn seconds(time: &str) -> Option<i64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    Some(((days * 24 + number(11, 13)?) * 60 + number(14, 16)?) * 60 + number(17, 19)?)
}

/// The days from 1970-01-01 to a date of the Gregorian calendar, counted in years from March on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-2, "<invalid>")]
    #[case(-1, "0s")]
    #[case(0, "0s")]
    #[case(119, "119s")]
    #[case(120, "2m")]
    #[case(121, "2m1s")]
    #[case(599, "9m59s")]
    #[case(600, "10m")]
    #[case(3 * HOUR - 1, "179m")]
    #[case(3 * HOUR, "3h")]
    #[case(8 * HOUR - 1, "7h59m")]
    #[case(8 * HOUR, "8h")]
    #[case(48 * HOUR - 1, "47h")]
    #[case(48 * HOUR, "2d")]
    #[case(49 * HOUR, "2d1h")]
    #[case(8 * DAY * HOUR, "8d")]
    #[case(2 * YEAR * HOUR - 1, "729d")]
    #[case(2 * YEAR * HOUR, "2y")]
    #[case((2 * YEAR + DAY) * HOUR, "2y1d")]
    #[case(8 * YEAR * HOUR, "8y")]
    fn durations(#[case] seconds: i64, #[case] expected: &str) {
        assert_eq!(human(seconds), expected);
    }

    #[test]
    fn times() {
        assert_eq!(seconds("1970-01-01T00:00:01Z"), Some(1));
        assert_eq!(seconds("2024-02-29T12:00:00.123456Z"), Some(1_709_208_000));
        assert_eq!(between("", "2026-01-01T00:00:00Z"), "<unknown>");
        assert_eq!(
            between("2026-01-01T00:00:00Z", "2026-01-01T00:02:30Z"),
            "2m30s"
        );
    }
}
