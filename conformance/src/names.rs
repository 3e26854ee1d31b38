//! Which names somebody may have meant.

/// The known names nearest to a wrong one, the best first; empty if none comes near.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong = wrong.to_lowercase();
    let mut near: Vec<_> =
        known.into_iter().map(|name| (likeness(&wrong, name), name)).filter(|(likeness, _)| *likeness > 0.6).collect();
    near.sort_by(|(one, first), (other, second)| other.total_cmp(one).then_with(|| first.cmp(second)));
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// From 0 to 1. Half a name that is right counts for more than a whole one that is nearly so.
fn likeness(wrong: &str, name: &str) -> f64 {
    let typo = strsim::normalized_damerau_levenshtein(wrong, name);
    match wrong.len() >= 3 && (name.contains(wrong) || wrong.contains(name)) {
        true => typo.max(0.9),
        false => typo,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_errors_and_halves_are_recognised() {
        let known = ["jsonrpc.version-member", "jsonrpc.response.id-matches", "ping.answered"];
        assert_eq!(nearest("jsonrpc.verison-member", known), ["jsonrpc.version-member"]);
        assert_eq!(nearest("id-matches", known), ["jsonrpc.response.id-matches"]);
        assert_eq!(nearest("Ping.Answer", known), ["ping.answered"]);
        assert!(nearest("unrelated", known).is_empty());
    }
}
