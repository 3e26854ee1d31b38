//! Patterns for names: `*` for any run of characters, `?` for any one. Nothing else is special.

/// Whether the pattern covers the whole name. The work is bounded by the product of the two lengths.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // The last star and the end of what it has swallowed; it swallows one more whenever the rest does not fit.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, end)) = star else { return false };
                star = Some((at, end + 1));
                p = at + 1;
                n = end + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn examples() {
        let cases = [
            ("jsonrpc.*", "jsonrpc.version-member", true),
            ("jsonrpc.*", "xjsonrpc.version-member", false),
            ("*version*", "jsonrpc.version-member", true),
            ("*.id-?????", "jsonrpc.id-match", true),
            ("*.id-?????", "jsonrpc.id-matches", false),
            ("**a**", "bab", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("[a]", "a", false),
            ("a*b*c", "aXbYbZc", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// The definition, word for word; exponential, so only for short names.
    fn plainly(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', more)), None) => plainly(more, name),
            (Some(('*', more)), Some((_, shorter))) => plainly(more, name) || plainly(pattern, shorter),
            (Some((wanted, more)), Some((is, shorter))) => (*wanted == '?' || wanted == is) && plainly(more, shorter),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn as_defined(pattern in "[ab*?]{0,8}", name in "[ab?*]{0,8}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(matches(&pattern, &name), plainly(&p, &n));
        }

        #[test]
        fn a_name_matches_itself_and_stars_around_any_part(name in "[a-z.-]{1,20}", cut in 0usize..20) {
            prop_assert!(matches(&name, &name));
            let cut = cut.min(name.len());
            let star = format!("{}*", &name[..cut]);
            prop_assert!(matches(&star, &name));
            let star = format!("*{}", &name[cut..]);
            prop_assert!(matches(&star, &name));
        }
    }
}
