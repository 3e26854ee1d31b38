//! What a client makes of resources that are not there.

use crate::revision::{Revisions, Side, code};
use crate::rules::{Breach, Level, Rule, Transports, Verdict, errand};
use crate::session::{Speaker, View};

pub(super) static ACCEPTS_OLD_CODE: Rule = Rule {
    id: "resources.read.client-accepts-old-code",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#error-handling",
    requires: "A client reads the error -32002 as a resource that was not found, as it does -32602.",
    judged: "Reads of both outcomes in one session, whose driver tells what came of them. Both fail for the user; a failure in \
             other words than those for -32602, but for numbers and URIs, is a warning.",
    untested: "no driver told what came of a read that was refused by -32002 and one that was refused by -32602",
    judge: accepts_old_code,
};

fn accepts_old_code(view: View<'_>) -> Verdict {
    let refused = |code: i64| {
        view.exchanges_by(Speaker::Subject)
            .filter(move |exchange| exchange.is("resources/read") && exchange.error_code() == Some(code))
            .filter_map(move |exchange| Some((exchange.answer()?, errand::of(view, exchange)?)))
    };
    let known = refused(code::INVALID_PARAMS).find(|(_, wish)| wish.has_failed());
    let Some((_, known)) = known else { return Verdict::untested() };
    let words = |wish: &crate::session::user::Wish| {
        let came = wish.came.as_ref()?;
        let told = came.words["error"].as_str().or_else(|| came.words["text"].as_str())?;
        let own = wish.wish["uri"].as_str().unwrap_or_default();
        let bare: String = told.replace(own, "").chars().filter(|letter| letter.is_alphabetic()).collect();
        Some(bare.to_lowercase())
    };
    refused(code::RESOURCE_NOT_FOUND)
        .filter_map(|(answer, wish)| {
            let came = wish.came.as_ref()?;
            let breach = |what: &str| Err(Breach::at_entry(came.entry, what).after(answer));
            Some(if wish.is_fulfilled() {
                breach("gives its user a resource that was not found")
            } else if words(wish) == words(known) {
                Ok(())
            } else {
                breach("tells its user of -32002 in other words than of -32602").map_err(Breach::as_warning)
            })
        })
        .collect()
}
