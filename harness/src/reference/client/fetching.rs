//! What lies elsewhere: icons and URLs that the server names. The default client fetches nothing.

use serde_json::Value;

use super::fault::ClientFault;
use super::{Client, Deed, Habit, Host, Outlet};
use crate::reference::message::Object;
use crate::revision::Revision;

/// The most addresses that are fetched because of one message.
const MOST: usize = 64;

impl Client {
    /// Looks after what a list, or what a server says of itself, refers to.
    pub(super) fn illustrate(&self, items: &[Value], out: &mut Outlet) {
        let unsafe_too = self.faulty(ClientFault::FetchesUnsafeIcons);
        let follows = self.faulty(ClientFault::FollowsIcons);
        let shows = self.is_given_to(Habit::ShowsIcons) || unsafe_too || follows;
        if shows && self.revision() >= Some(Revision::V2025_11_25) {
            let icons = items.iter().filter_map(|item| item["icons"].as_array()).flatten();
            let sources = icons.filter_map(|icon| icon["src"].as_str());
            let is_safe = |source: &&str| source.starts_with("https://") || source.starts_with("http://");
            for source in sources.filter(|source| unsafe_too || is_safe(source)).take(MOST) {
                out.deeds.push(Deed::Fetch { url: source.to_owned(), follows });
            }
        }
        if self.faulty(ClientFault::FetchesReferences) {
            let mut found = Vec::new();
            let schemas = items.iter().flat_map(|item| [&item["inputSchema"], &item["outputSchema"]]);
            schemas.for_each(|schema| references(schema, &mut found));
            let fetched = found.into_iter().take(MOST);
            out.deeds.extend(fetched.map(|url| Deed::Fetch { url, follows: true }));
        }
    }

    /// What comes of URLs that the user is to go to.
    pub(super) fn go_to(&self, method: &str, params: &Value, out: &mut Outlet) {
        let Some(url) = params["url"].as_str().filter(|_| method == "elicitation/create" && params["mode"] == "url")
        else {
            return;
        };
        let accepts = self.conduct.host == Host::Willing && self.conduct.declares.url;
        if (accepts && self.is_given_to(Habit::OpensUrls)) || self.faulty(ClientFault::PrefetchesUrls) {
            out.deeds.push(Deed::Fetch { url: url.to_owned(), follows: true });
        }
    }

    /// The same of every question that a result asks.
    pub(super) fn go_to_all(&self, result: &Object, out: &mut Outlet) {
        let asked = result.get("inputRequests").and_then(Value::as_object).into_iter().flat_map(Object::values);
        for request in asked.take(MOST) {
            self.go_to(request["method"].as_str().unwrap_or_default(), &request["params"], out);
        }
    }
}

/// The references of a schema that lead somewhere else.
fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == "$ref" || name == "$dynamicRef") {
                    Some(reference) if reference.contains("://") => found.push(reference.to_owned()),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
