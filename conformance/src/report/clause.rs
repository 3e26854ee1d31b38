//! Addresses of clauses, as people read them and as browsers open them.

/// Where the specification is published.
const SITE: &str = "https://modelcontextprotocol.io/specification";

/// Where the schemas are kept that the site does not publish as a page.
const REPOSITORY: &str = "https://github.com/modelcontextprotocol/modelcontextprotocol/blob/main";

/// A clause address taken apart: `2026-07-28/basic/index#responses` or `schema/2026-07-28/schema.ts#Result`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clause<'a> {
    revision: &'a str,
    /// The page below the revision; none for the schema.
    page: Option<&'a str>,
    anchor: Option<&'a str>,
}

impl<'a> Clause<'a> {
    /// Takes an address apart; none for the empty one, which rules without a clause have.
    #[must_use]
    pub fn parse(address: &'a str) -> Option<Self> {
        let (path, anchor) = match address.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (address, None),
        };
        let (first, rest) = path.split_once('/')?;
        match first {
            "schema" => Some(Self { revision: rest.split('/').next()?, page: None, anchor }),
            revision => Some(Self { revision, page: Some(rest), anchor }),
        }
    }

    /// For people: `basic § responses, 2026-07-28`.
    #[must_use]
    pub fn title(&self) -> String {
        let page = self.page.map_or("schema", without_index);
        let section = self.anchor.map(|anchor| match self.page {
            Some(_) => format!(" § {}", anchor.replace('-', " ")),
            None => format!(" § {anchor}"),
        });
        format!("{page}{}, {}", section.unwrap_or_default(), self.revision)
    }

    /// For browsers.
    #[must_use]
    pub fn url(&self) -> String {
        let revision = self.revision;
        let Some(page) = self.page else {
            // The site has a page for the schema since 2025-06-18; its anchors are the type names in lower case.
            return match self.anchor {
                _ if revision < "2025-06-18" => format!("{REPOSITORY}/schema/{revision}/schema.ts"),
                Some(anchor) => format!("{SITE}/{revision}/schema#{}", anchor.to_lowercase()),
                None => format!("{SITE}/{revision}/schema"),
            };
        };
        let anchor = self.anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        format!("{SITE}/{revision}/{}{anchor}", without_index(page))
    }
}

/// The site serves an index page under the name of its folder.
fn without_index(page: &str) -> &str {
    page.strip_suffix("/index").unwrap_or(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_titles_and_links() {
        let cases = [
            (
                "2026-07-28/basic/index#responses",
                "basic § responses, 2026-07-28",
                "https://modelcontextprotocol.io/specification/2026-07-28/basic#responses",
            ),
            (
                "2025-11-25/basic/lifecycle#version-negotiation",
                "basic/lifecycle § version negotiation, 2025-11-25",
                "https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#version-negotiation",
            ),
            (
                "2026-07-28/basic/transports/stdio",
                "basic/transports/stdio, 2026-07-28",
                "https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio",
            ),
            (
                "schema/2025-11-25/schema.ts#CreateMessageRequestParams",
                "schema § CreateMessageRequestParams, 2025-11-25",
                "https://modelcontextprotocol.io/specification/2025-11-25/schema#createmessagerequestparams",
            ),
            (
                "schema/2025-03-26/schema.ts#Result",
                "schema § Result, 2025-03-26",
                "https://github.com/modelcontextprotocol/modelcontextprotocol/blob/main/schema/2025-03-26/schema.ts",
            ),
        ];
        for (address, title, url) in cases {
            let clause = Clause::parse(address).unwrap();
            assert_eq!((clause.title().as_str(), clause.url().as_str()), (title, url));
        }
        assert_eq!(Clause::parse(""), None);
    }
}
