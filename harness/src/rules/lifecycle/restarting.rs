//! What becomes of a client whose server ends all of a sudden.

use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, client};
use crate::session::View;
use crate::transcript::Event;

pub(super) static SERVER_RESTART: Rule = Rule {
    id: "lifecycle.server-restart",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio#unexpected-termination",
    requires: "A client starts a server again that ended unexpectedly.",
    judged: "Modern servers that end by themselves before the client has hung up. Broken where the client tells its user behind \
             that of a failure at something new that takes a server, and has started none. It may wait until there is such a \
             thing, and find out by the first of them.",
    untested: "no modern server ended before the client hung up while its user still wanted something of it",
    judge: server_restart,
};

/// What takes a server.
const SERVED: &[&str] = &["list", "call", "read", "get", "complete", "watch"];

fn server_restart(view: View<'_>) -> Verdict {
    let Some(settled) = client::settled_modern(view).filter(|_| view.is_of_the_run()) else {
        return Verdict::untested();
    };
    let mut hung_up = false;
    let mut checks: Vec<Check> = Vec::new();
    for (index, entry) in view.entries().iter().enumerate() {
        match entry.event {
            Event::Connected { .. } => hung_up = false,
            Event::Ended | Event::Exited { .. } | Event::Killed => hung_up = true,
            Event::Closed if !hung_up && index > settled => checks.extend(behind(view, index)),
            _ => {}
        }
    }
    checks.into_iter().collect()
}

/// What the client makes of the end of its server.
fn behind(view: View<'_>, end: usize) -> Option<Check> {
    let again = view.process_end(end);
    let here = |entry: usize| entry > end && entry < again;
    let failures = view.user().wishes.iter().filter(|wish| wish.has_failed() && !wish.is_unsupported());
    let told = failures.filter_map(|wish| Some((wish, wish.came.as_ref().filter(|came| here(came.entry))?)));
    let told: Vec<_> = told.filter(|(wish, _)| SERVED.contains(&wish.kind())).collect();
    let known = told.iter().map(|(_, came)| came.entry).min();
    let mut behind = told.into_iter().filter(|(wish, _)| known.is_some_and(|known| wish.entry > known));
    let failed = behind.next().map(|(_, came)| came);
    match failed {
        Some(came) => {
            let what = "leaves its user without a server, which ended unexpectedly, and starts no other";
            Some(Err(Breach::at_entry(came.entry, what).after_entry(end)))
        }
        None => (again < usize::MAX).then_some(Ok(())),
    }
}
