//! How much a subject was seen to bear: what a rule about load has to say where it is kept.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::session::{Exchange, View};

/// A quantity that a session showed, with what it is a quantity of.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct Figure {
    /// What was measured, as a noun: "requests at once".
    pub what: Cow<'static, str>,
    /// How much of it.
    pub amount: u64,
    /// What the amount counts.
    pub unit: Unit,
    /// How long it took, in microseconds, where that is of interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Things of the kind that is named.
    Count,
    /// Bytes.
    Bytes,
    /// Microseconds.
    Micros,
}

impl Figure {
    /// So many of these; none of them is nothing to speak of.
    #[must_use]
    pub fn count(what: &'static str, amount: usize) -> Option<Self> {
        let amount = u64::try_from(amount).unwrap_or(u64::MAX);
        (amount > 0).then_some(Self { what: Cow::Borrowed(what), amount, unit: Unit::Count, micros: None })
    }

    /// So many bytes.
    #[must_use]
    pub const fn bytes(what: &'static str, amount: u64) -> Self {
        Self { what: Cow::Borrowed(what), amount, unit: Unit::Bytes, micros: None }
    }

    /// So long.
    #[must_use]
    pub const fn time(what: &'static str, micros: u64) -> Self {
        Self { what: Cow::Borrowed(what), amount: micros, unit: Unit::Micros, micros: None }
    }

    /// The same, from one entry of a transcript to another.
    #[must_use]
    pub fn within(mut self, view: View<'_>, first: usize, last: usize) -> Self {
        let at = |entry: usize| view.entries().get(entry).map(|entry| entry.at);
        self.micros = at(last).zip(at(first)).map(|(last, first)| last.saturating_sub(first));
        self
    }

    /// The one that says more: the larger amount, or the same that took longer.
    #[must_use]
    pub fn or(self, other: Option<Self>) -> Self {
        let more = |figure: &Self| (figure.amount, figure.micros);
        other.filter(|other| more(other) > more(&self)).unwrap_or(self)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.what)?;
        match self.unit {
            Unit::Count => f.write_str(&grouped(self.amount))?,
            Unit::Bytes => f.write_str(&bytes(self.amount))?,
            Unit::Micros => f.write_str(&time(self.amount))?,
        }
        self.micros.map_or(Ok(()), |micros| write!(f, ", in {}", time(micros)))
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let grouped: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    grouped.join(",")
}

fn bytes(number: u64) -> String {
    match number {
        0..1024 => format!("{number} B"),
        1024..0x10_0000 => format!("{}.{} KiB", number >> 10, ((number & 0x3ff) * 10) >> 10),
        _ => format!("{}.{} MiB", number >> 20, ((number & 0xf_ffff) * 10) >> 20),
    }
}

fn time(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..10_000_000 => format!("{} ms", grouped(micros / 1000)),
        _ => format!("{} s", micros / 1_000_000),
    }
}

/// The most of these requests that waited for their answers at a time.
pub(super) fn at_once<'s>(
    view: View<'_>,
    what: &'static str,
    answered: impl Iterator<Item = Exchange<'s>>,
) -> Option<Figure> {
    let mut turns: Vec<(usize, i64)> = answered
        .filter_map(|exchange| Some([(exchange.request().entry, 1), (exchange.answer()?.entry, -1)]))
        .flatten()
        .collect();
    turns.sort_unstable();
    let (first, last) = (turns.first()?.0, turns.last()?.0);
    let (_, most) = turns.iter().fold((0_i64, 0_i64), |(open, most), (_, turn)| (open + turn, most.max(open + turn)));
    Some(Figure::count(what, usize::try_from(most).unwrap_or_default())?.within(view, first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        let shown = |figure: Figure| figure.to_string();
        assert_eq!(
            shown(Figure { micros: Some(312_400), ..Figure::count("requests", 1_234_567).unwrap() }),
            "requests: 1,234,567, in 312 ms"
        );
        assert_eq!(shown(Figure::bytes("memory", 1_600_000)), "memory: 1.5 MiB");
        assert_eq!(shown(Figure::bytes("memory", 1_600)), "memory: 1.5 KiB");
        assert_eq!(shown(Figure::time("processor time", 12_000_000)), "processor time: 12 s");
        assert_eq!(shown(Figure::time("processor time", 12)), "processor time: 12 µs");
        assert_eq!(Figure::count("requests", 0), None);
    }

    #[test]
    fn the_larger_amount_says_more() {
        let figure = |amount, micros| Figure { micros: Some(micros), ..Figure::count("requests", amount).unwrap() };
        assert_eq!(figure(2, 5).or(Some(figure(3, 1))), figure(3, 1));
        assert_eq!(figure(2, 5).or(Some(figure(2, 9))), figure(2, 9));
        assert_eq!(figure(2, 5).or(None), figure(2, 5));
    }
}
