//! What a client reads into an error code.

use crate::revision::{Era, Revisions, Side};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::wire::Value;

pub(super) static LEGACY_RANGE_NO_MEANING: Rule = Rule {
    id: "error.legacy-range-no-meaning",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: super::CLAUSE,
    requires: "A client reads nothing specified into the codes from -32000 to -32019, whatever they once were to mean.",
    judged: "Such an answer to server/discover, with data like that of an error which is defined. A client of both eras goes \
             on with `initialize`, if need be after another attempt; one that keeps asking in the modern way, or does so \
             in another version that the data names, took it for the defined one. One that stops is a warning.",
    untested: "the client did not ask what the server supports, or got no error of that range",
    judge: legacy_range_no_meaning,
};

fn legacy_range_no_meaning(view: View<'_>) -> Verdict {
    if !(client::speaks(view, Era::Modern) && client::speaks(view, Era::Legacy)) {
        return Verdict::untested();
    }
    let legacy = client::legacy_from(view);
    let refused = client::modern(view).find(|exchange| {
        let old = exchange.error_code().is_some_and(|code| (-32019..=-32000).contains(&code) && code != -32002);
        let shaped = exchange
            .error()
            .and_then(|error| error.member("data"))
            .is_some_and(|data| ["supported", "requiredCapabilities"].iter().any(|key| data.member(key).is_some()));
        exchange.is("server/discover") && old && shaped
    });
    let Some((refused, answer)) = refused.and_then(|refused| Some((refused, refused.answer()?))) else {
        return Verdict::untested();
    };
    let asked = refused.request().modern_version();
    let later: Vec<_> = client::modern(view).filter(|one| one.request().entry > answer.entry).collect();
    let supported = refused.error().and_then(|error| error.path(&["data", "supported"]));
    let switched = later.iter().find(|one| {
        let version = one.request().modern_version();
        let other = version.zip(asked).is_some_and(|(version, asked)| !version.same(asked));
        let named =
            supported.zip(version).is_some_and(|(all, version)| all.items().any(|one: Value<'_>| one.same(version)));
        other && named
    });
    let check: Check = match (switched, later.last()) {
        (Some(switched), _) => {
            let what = "takes a version from the data of an error that means nothing";
            Err(Breach::at(switched.request(), what).after(answer))
        }
        (None, _) if legacy > answer.entry && legacy != usize::MAX => Ok(()),
        (None, Some(last)) => {
            let what = "stays in the modern era because of an error that means nothing";
            Err(Breach::at(last.request(), what).after(answer))
        }
        (None, None) => {
            let end = client::hung_up(view).or(client::outstayed(view));
            let what = "does not fall back to initialize after an error that means nothing";
            let Some(end) = end else { return Verdict::untested() };
            Err(Breach::at_entry(end, what).after(answer).as_warning())
        }
    };
    [check].into_iter().collect()
}
