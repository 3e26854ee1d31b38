//! The syntax of URIs (RFC 3986) and of their templates (RFC 6570), as far as rules need it.

/// What is wrong with a URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::rules) enum Flaw {
    /// Nobody can take it for one.
    Wrong(&'static str),
    /// Readers of IRIs and browsers take it, the grammar does not.
    Unusual(&'static str),
}

/// The flaw of an absolute URI, the worst one first.
pub(in crate::rules) fn flaw(text: &str) -> Option<Flaw> {
    let Some((scheme, rest)) = text.split_once(':') else { return Some(Flaw::Wrong("has no scheme")) };
    let letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !letter || !scheme.bytes().all(known) {
        return Some(Flaw::Wrong("has no scheme"));
    }
    if text.chars().any(|letter| letter == ' ' || letter.is_ascii_control()) {
        return Some(Flaw::Wrong("has a space or a control character"));
    }
    if let Some(authority) = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default())
        && authority.contains('[') != authority.contains(']')
    {
        return Some(Flaw::Wrong("has a bracket that nothing closes"));
    }
    if !text.is_ascii() {
        return Some(Flaw::Unusual("has characters that are not ASCII"));
    }
    if text.contains(['<', '>', '"', '{', '}', '|', '\\', '^', '`']) {
        return Some(Flaw::Unusual("has characters that must be encoded"));
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let encoded = |next: Option<u8>| next.is_some_and(|next| next.is_ascii_hexdigit());
        if byte == b'%' && !(encoded(bytes.next()) && encoded(bytes.next())) {
            return Some(Flaw::Unusual("has a percent sign that encodes nothing"));
        }
    }
    None
}

/// The scheme, in lower case.
pub(in crate::rules) fn scheme(text: &str) -> Option<String> {
    text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase())
}

/// The flaw of a template.
pub(in crate::rules) fn template_flaw(text: &str) -> Option<&'static str> {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        if rest[at..].starts_with('}') {
            return Some("closes a brace that nothing opens");
        }
        let Some((inside, behind)) = rest[at + 1..].split_once('}') else {
            return Some("has a brace that nothing closes");
        };
        let variables = inside.trim_start_matches(['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|']);
        if variables.is_empty() || variables.contains('{') {
            return Some("has braces without the name of a variable");
        }
        rest = behind;
    }
    None
}

/// Whether a template might give this URI: it begins with what stands before the first variable.
pub(in crate::rules) fn may_cover(template: &str, uri: &str) -> bool {
    let literal = template.split('{').next().unwrap_or_default();
    uri.to_ascii_lowercase().starts_with(&literal.to_ascii_lowercase())
}

/// Whether a URI is another one or lies below it. Case and a slash at the end make no difference.
pub(in crate::rules) fn is_within(uri: &str, whole: &str) -> bool {
    let (uri, whole) = (uri.to_ascii_lowercase(), whole.to_ascii_lowercase());
    let whole = whole.trim_end_matches('/');
    uri.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        for good in ["a:b", "memo:///x", "http://[::1]:80/", "urn:isbn:1", "file:///a%20b", "x+y.z-1:?q#f", "a:"] {
            assert_eq!(flaw(good), None, "{good}");
        }
        for bad in ["", "readme", "/a/b", ":x", "1a:b", "a b:c", "a:b c", "a:\n", "http://[::1", "é:x"] {
            assert!(matches!(flaw(bad), Some(Flaw::Wrong(_))), "{bad}");
        }
        for unusual in ["a:é", "a:{b}", "C:\\x", "a:%zz", "a:%2"] {
            assert!(matches!(flaw(unusual), Some(Flaw::Unusual(_))), "{unusual}");
        }
    }

    #[test]
    fn templates() {
        for good in ["a:b", "a:///{x}", "a:{+x}{?y,z*}", "a:{x:3}"] {
            assert_eq!(template_flaw(good), None, "{good}");
        }
        for bad in ["a:{}", "a:{+}", "a:}", "a:{x}}", "a:{x"] {
            assert!(template_flaw(bad).is_some(), "{bad}");
        }
        assert!(may_cover("memo:///notes/{n}", "memo:///notes/1"));
        assert!(!may_cover("memo:///notes/{n}", "memo:///note"));
    }

    #[test]
    fn below() {
        for (uri, whole) in
            [("a:b", "a:b"), ("a://h/", "a://h"), ("a://h", "a://h/"), ("a://h/x", "A://h/"), ("a:b#c", "a:b")]
        {
            assert!(is_within(uri, whole), "{uri} {whole}");
        }
        assert!(!is_within("a:bc", "a:b"));
        assert!(!is_within("a:b", "a:b/c"));
    }
}
