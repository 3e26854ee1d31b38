//! The URL of a server.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;

/// An `http` or `https` URL with a host. User information and a fragment are refused: neither can be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Url {
    uri: Uri,
    text: String,
}

/// A text that is no URL of a server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no URL of a server: {why}")]
pub struct UrlError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl Url {
    /// The host, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, that of the scheme if none is given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_tls() { 443 } else { 80 })
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Host and port as they are written.
    #[must_use]
    pub fn authority(&self) -> String {
        self.uri.authority().map(ToString::to_string).unwrap_or_default()
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> String {
        self.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let fail = |why: String| UrlError { text: text.to_owned(), why };
        let uri = Uri::from_str(text).map_err(|error| fail(error.to_string()))?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => {}
            _ => return Err(fail("it does not begin with http:// or https://".to_owned())),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(fail("it names no host".to_owned()));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(fail("it names a user; a subject file can set the line Authorization".to_owned()));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().ends_with(':')) || uri.port_u16() == Some(0) {
            return Err(fail("its port is none".to_owned()));
        }
        Ok(Self { uri, text: text.to_owned() })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_parts_are_those_that_a_request_needs() {
        let url: Url = "http://localhost:3001/mcp?x=1".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.is_tls()), ("localhost", 3001, false));
        assert_eq!((url.authority().as_str(), url.target().as_str()), ("localhost:3001", "/mcp?x=1"));
        let url: Url = "https://[::1]".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.target().as_str()), ("::1", 443, "/"));
    }

    #[test]
    fn others_are_refused() {
        for text in ["", "localhost:3001", "ftp://a/b", "http://", "http://u:p@a/", "http://a:/", "http://a b/", "/mcp"]
        {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(https?://)?[ -~é]{0,30}") {
            if let Ok(url) = text.parse::<Url>() {
                prop_assert!(!url.host().is_empty() && url.target().starts_with('/'));
            }
        }
    }
}
