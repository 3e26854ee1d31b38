//! Numbers by their value.

/// A number by its value: digits without leading or trailing zeros, and a power of ten.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads the text of a JSON number; `None` if its exponent does not fit 62 bits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i64 = exponent.parse().ok().filter(|value: &i64| value.unsigned_abs() < 1 << 62)?;
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let trailing = all.len() - all.trim_end_matches('0').len();
        let exponent = exponent - fraction.len() as i64 + trailing as i64;
        Some(Self { negative, digits: digits.to_owned(), exponent })
    }

    /// Whether it has no fraction.
    #[must_use]
    pub fn is_integral(&self) -> bool {
        self.exponent >= 0
    }

    /// The number as `i64`, if it is integral and fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        let zeros = usize::try_from(self.exponent).ok().filter(|zeros| *zeros < 20)?;
        format!("{}0{}{}", if self.negative { "-" } else { "" }, self.digits, "0".repeat(zeros)).parse().ok()
    }
}
