//! The keys of a move that are about the HTTP response around an answer.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::script::hosting::{Cut, EventStyle, Form, Wrapping};

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct WrittenWrapping {
    status: Option<u16>,
    set: BTreeMap<String, String>,
    add: BTreeMap<String, String>,
    drop: Vec<String>,
    body: Option<String>,
    heard: Option<bool>,
    form: Option<Form>,
    events: EventStyle,
    cut: Option<Place>,
    cut_after: Option<u32>,
    orderly: bool,
    session: Option<String>,
    forgets: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Before,
    Middle,
}

impl WrittenWrapping {
    pub(super) fn understand(self, honest: Option<bool>) -> Result<Wrapping, String> {
        let cut = match (self.cut, self.cut_after) {
            (Some(_), Some(_)) => return Err("`cut` excludes `cut-after`".to_owned()),
            (Some(Place::Before), None) => Some(Cut::Before),
            (Some(Place::Middle), None) => Some(Cut::Middle),
            (None, count) => count.map(Cut::After),
        };
        if self.status.is_some_and(|status| !(200..1000).contains(&status)) {
            return Err("a status is a number from 200 to 999".to_owned());
        }
        if self.orderly && cut.is_none_or(|cut| cut == Cut::Before) {
            return Err("only what breaks off behind its head can do so in an orderly way".to_owned());
        }
        // Whoever refuses a request has not carried it out.
        let refuses = self.status.is_some_and(|status| status >= 300) || self.body.is_some() || self.forgets;
        let mut wrapping = Wrapping {
            status: self.status,
            set: self.set,
            add: self.add,
            drop: self.drop,
            body: self.body,
            unheard: !self.heard.unwrap_or(!refuses),
            form: self.form,
            events: self.events,
            cut,
            orderly: self.orderly,
            session: self.session,
            forgets: self.forgets,
            honest: true,
        };
        let permitted = Wrapping {
            form: wrapping.form,
            session: wrapping.session.clone(),
            events: EventStyle { unfinished: false, ..wrapping.events.clone() },
            honest: true,
            ..Wrapping::default()
        };
        wrapping.honest = honest.unwrap_or(wrapping == permitted);
        Ok(wrapping)
    }
}
