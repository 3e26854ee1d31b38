//! Responses that are streams of events.

use crate::revision::{Revisions, Side};
use crate::rules::subscription::ACKNOWLEDGED;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::{HttpExchange, View};
use crate::transcript::Ending;
use crate::wire::Id;

const RECEIVING: &str = "2026-07-28/basic/transports/streamable-http#receiving-messages";

/// Notifications that come on subscriptions and nowhere else.
static CHANGES: &[&str] = &[
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    ACKNOWLEDGED,
];

/// `http.modern.sse-related-only`
pub static RELATED_ONLY: Rule = Rule {
    id: "http.modern.sse-related-only",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: RECEIVING,
    requires: "The notifications on the stream of a response relate to its request.",
    judged: "Streams that answer anything but subscriptions/listen. Progress under the token of another request, and \
             notices of changes, break the rule. Whose log messages are cannot be seen; whether the request asked for any is \
             the matter of the rules about logging.",
    untested: "no response was a stream with a notification on it",
    judge: related_only,
};

fn related_only(view: View<'_>) -> Verdict {
    let all = view.http();
    let tokens: Vec<(usize, Id)> =
        all.iter().enumerate().filter_map(|(index, http)| Some((index, token(http)?))).collect();
    all.iter()
        .enumerate()
        .filter(|(_, http)| http.client == 0 && http.is_stream() && http.sent.len() == 1)
        .filter(|(_, http)| http.method().is_some_and(|method| method != "subscriptions/listen"))
        .flat_map(|(index, http)| http.messages().map(move |message| (index, http, message)))
        .filter_map(|(index, http, (entry, message))| {
            let method = message.member("method").filter(|_| message.member("id").is_none())?.as_str()?;
            let breach = |what: String| Some(Err(Breach::at_entry(entry, what).after_entry(http.entry)));
            if CHANGES.contains(&&*method) {
                return breach(format!("sends {method} on the stream of another request"));
            }
            if method != "notifications/progress" {
                return (method == "notifications/message").then_some(Ok(()));
            }
            let given = message.path(&["params", "progressToken"]).map(Id::read)?;
            let own =
                tokens.iter().any(|(other, token)| *other == index && (*token == given || token.resembles(&given)));
            let foreign = tokens.iter().any(|(other, token)| *other != index && *token == given);
            match (own, foreign) {
                (true, _) => Some(Ok(())),
                (false, true) => {
                    breach("reports the progress of another request on the stream of a request".to_owned())
                }
                // A token that nobody gave is the matter of the rules about progress.
                (false, false) => None,
            }
        })
        .collect()
}

fn token(http: &HttpExchange<'_>) -> Option<Id> {
    http.body()?.path(&["params", "_meta", "progressToken"]).map(Id::read)
}

/// `http.modern.listen-is-sse`
pub static LISTEN_IS_SSE: Rule = Rule {
    id: "http.modern.listen-is-sse",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: RECEIVING,
    requires: "A subscription that is accepted is a stream of events that begins with the acknowledgment and stays open.",
    judged: "Well-formed requests to listen. A refusal, in whichever form, is no stream. An end of the stream before the \
             harness ended it is a warning, and nothing at all if the closing result came first: a server may end a \
             subscription of its own accord.",
    untested: "no request to listen was accepted",
    judge: listen_is_sse,
};

fn listen_is_sse(view: View<'_>) -> Verdict {
    let all = view.http();
    probe::stateless(view)
        .filter(|exchange| exchange.is("subscriptions/listen") && probe::plain(exchange.request()).is_some())
        .filter(|exchange| exchange.error().is_none())
        .filter_map(|exchange| {
            let http = all.iter().find(|http| Some(http.number) == exchange.request().via)?;
            let response = http.response.filter(|_| http.is_accepted())?;
            let mut checks: Vec<Check> = Vec::new();
            let breach = |entry: usize, what: String| Breach::at_entry(entry, what).after(exchange.request());
            if !http.is_stream() {
                let media = http.media_type().unwrap_or_else(|| "nothing".to_owned());
                let what = format!("answers subscriptions/listen with {} and {media}", response.status);
                return Some(vec![Err(breach(response.entry, what))]);
            }
            match http.messages().next() {
                Some((_, first)) if first.member("method").is_some_and(|method| method.is(ACKNOWLEDGED)) => {
                    checks.push(Ok(()));
                }
                Some((entry, _)) => {
                    checks.push(Err(breach(entry, "does not begin a stream with the acknowledgment".to_owned())));
                }
                None => {}
            }
            let closed = exchange.result().is_some();
            if let Some((entry, Ending::Complete | Ending::Cut)) = http.end.filter(|_| !closed) {
                let what = "ends the stream of a subscription without a closing result".to_owned();
                checks.push(Err(breach(entry, what).as_warning()));
            }
            Some(checks)
        })
        .flatten()
        .collect()
}

/// `http.modern.no-buffering-header`
pub static NO_BUFFERING: Rule = Rule {
    id: "http.modern.no-buffering-header",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: RECEIVING,
    requires: "The response that begins a stream of events has the line X-Accel-Buffering: no.",
    judged: "Every stream of events in answer to a modern request. Its absence is a warning, once a session.",
    untested: "no response was a stream of events",
    judge: no_buffering,
};

fn no_buffering(view: View<'_>) -> Verdict {
    let mut told = false;
    view.http()
        .iter()
        .filter(|http| http.is_stream() && http.verb == "POST")
        .filter_map(|http| {
            let response = http.response?;
            let value = response.headers.value("x-accel-buffering").unwrap_or_default();
            if value.trim().eq_ignore_ascii_case("no") {
                return Some(Ok(()));
            }
            let what = "begins a stream of events without X-Accel-Buffering: no";
            (!std::mem::replace(&mut told, true)).then(|| Err(Breach::at_entry(response.entry, what).as_warning()))
        })
        .collect()
}
