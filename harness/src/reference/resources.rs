//! Resources and resource templates.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::declare::{PIXEL, icons};
use super::fixture;
use super::legacy::Call;
use super::lists::in_revision;
use super::message::{Failure, object};
use super::server::{Answer, Server};
use crate::revision::{Revision, code};

static ITEMS: LazyLock<[Vec<Value>; 5]> = LazyLock::new(|| Revision::ALL.map(table));
static TEMPLATES: LazyLock<[Vec<Value>; 5]> = LazyLock::new(|| Revision::ALL.map(template_table));

fn table(revision: Revision) -> Vec<Value> {
    let annotated = json!({"audience": ["assistant"], "priority": 0.25});
    let rows = [
        (fixture::DATA, "data", "application/json", "A little JSON."),
        (fixture::LOGO, "logo", "image/png", "A picture of one pixel."),
        (fixture::RAISING, "raise", "text/plain", "Cannot be read: its handler raises."),
        (fixture::README, "readme", "text/plain", "What this server is."),
        (fixture::TOUCHED, "touched", "text/plain", "The resource that touch-resource updates."),
        // The last one, so that it can be left out.
        (fixture::EXTRA_RESOURCE, "extra", "text/plain", "Comes and goes."),
    ];
    rows.into_iter()
        .map(|(uri, name, mime, about)| {
            let mut item = object(json!({
                "uri": uri, "name": name, "title": name, "mimeType": mime, "description": about,
            }));
            if uri == fixture::DATA {
                item.insert("annotations".into(), annotated.clone());
            }
            if uri == fixture::LOGO {
                item.insert("icons".into(), icons(false));
            }
            in_revision(item, revision)
        })
        .collect()
}

fn template_table(revision: Revision) -> Vec<Value> {
    let rows = [
        ("memo:///archive/{year}", "archive", "What was noted in a year of this century."),
        ("memo:///greeting/{name}", "greeting", "A greeting for somebody."),
        (fixture::NOTES, "notes", "A note by its number, 1 to 9."),
        ("memo:///table/{row}/{column}", "table", "A cell by two letters."),
    ];
    rows.into_iter()
        .map(|(template, name, about)| {
            let item = json!({
                "uriTemplate": template, "name": name, "title": name, "mimeType": "text/plain", "description": about,
            });
            in_revision(object(item), revision)
        })
        .collect()
}

/// The resources of this moment.
pub(super) fn items(revision: Revision, extra: bool) -> Vec<&'static Value> {
    let all = &ITEMS[revision as usize];
    all.iter().take(all.len() - usize::from(!extra)).collect()
}

/// The templates.
pub(super) fn templates(revision: Revision) -> &'static [Value] {
    &TEMPLATES[revision as usize]
}

/// The refusal of a URI behind which there is nothing.
pub(super) fn not_found(revision: Revision, uri: &str) -> Failure {
    let modern = revision == Revision::V2026_07_28;
    let code = if modern { code::INVALID_PARAMS } else { code::RESOURCE_NOT_FOUND };
    let shown: String = uri.chars().take(200).collect();
    Failure::new(code, "there is no such resource").with(json!({"uri": shown}))
}

impl Server {
    /// Whether a URI names a resource that can be read.
    pub(super) fn knows_resource(&self, uri: &str) -> bool {
        uri == fixture::RAISING || self.text_of(uri).is_some() || uri == fixture::LOGO
    }

    pub(super) fn read_resource(&mut self, call: &Call<'_>) -> Answer {
        let uri = call.text("uri")?;
        if self.tampers()
            && let Some(contents) = self.misreads(uri, call.revision)
        {
            return contents;
        }
        let contents = match uri {
            fixture::RAISING => return Err(Failure::new(code::INTERNAL_ERROR, "the handler raised")),
            fixture::LOGO => json!({"uri": uri, "mimeType": "image/png", "blob": PIXEL}),
            fixture::DATA => json!({"uri": uri, "mimeType": "application/json", "text": "{\"answer\": 42}"}),
            _ => {
                let text = self.text_of(uri).ok_or_else(|| not_found(call.revision, uri))?;
                json!({"uri": uri, "mimeType": "text/plain", "text": text})
            }
        };
        Ok(Some(object(json!({"contents": [contents]}))))
    }

    fn text_of(&self, uri: &str) -> Option<String> {
        let path = uri.strip_prefix("memo:///")?;
        match uri {
            fixture::README => return Some("A reference server of turncoat.\nEvery feature, nothing real.".into()),
            fixture::TOUCHED => return Some(format!("Touched {} times.", self.changed.touches)),
            fixture::DATA => return Some("{}".into()),
            fixture::EXTRA_RESOURCE => return self.changed.extra_resource.then(|| "Here for now.".into()),
            _ => {}
        }
        let (kind, rest) = path.split_once('/')?;
        let plain =
            |text: &str| !text.is_empty() && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        match kind {
            "notes" if rest.len() == 1 && rest != "0" && rest.bytes().all(|b| b.is_ascii_digit()) => {
                Some(format!("This is note {rest}."))
            }
            "archive" if rest.len() == 4 && rest.starts_with("20") && rest.bytes().all(|b| b.is_ascii_digit()) => {
                Some(format!("Nothing happened in {rest}."))
            }
            "greeting" if plain(rest) => Some(format!("Hello, {rest}!")),
            "table" => {
                let (row, column) = rest.split_once('/')?;
                (plain(row) && plain(column) && row.len() + column.len() == 2).then(|| format!("{row}{column}"))
            }
            _ => None,
        }
    }
}
