//! Floods, bursts, splits, memory and processor time.

use super::super::jsonrpc::response::is_judged_by_silence;
use super::super::stdio::crowded;
use super::super::{Breach, Check, Figure, Level, Rule, Transports, Verdict, figure};
use super::patience::unread;
use crate::floor;
use crate::revision::{Revisions, code};
use crate::session::{Exchange, Fate, Speaker, View};
use crate::transcript::{Delivery, Event, Vitals};

/// `robust.burst-answered`
pub static BURST_ANSWERED: Rule = Rule {
    id: "robust.burst-answered",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "Many requests at once are all answered.",
    judged: "Well-formed requests of a flood (100 messages and more, the floor of `turncoat limits` for requests in \
             flight) and of a burst of twenty and more in one write are looked at; any answer will do, a refusal included. Lost ones are one finding, and only where later requests were answered. Smaller \
             bursts are the matter of `stdio.framing-by-newline-only`, and answers that are not read at once that of \
             `robust.slow-reader`.",
    untested: "no flood and no large burst of requests was sent",
    judge: burst_answered,
};

fn burst_answered(view: View<'_>) -> Verdict {
    let (last_served, astray) = (view.last_served(), view.answered_astray());
    let crowded = crowded(view);
    let mut lost = false;
    let late = unread(view);
    let many = || {
        view.exchanges().filter(|exchange| {
            let request = exchange.request();
            if late.iter().any(|span| span.contains(&request.entry)) {
                return false;
            }
            let many = request.delivery == Delivery::Flood || crowded.contains(&request.entry);
            many && request.is_sound() && !request.is_large()
        })
    };
    let verdict: Verdict = many()
        .filter_map(|exchange| match exchange.fate() {
            Fate::Answered => Some(Ok(())),
            Fate::Silent
                if is_judged_by_silence(exchange, last_served)
                    && !astray.contains(&exchange.request().entry)
                    && !std::mem::replace(&mut lost, true) =>
            {
                Some(Err(Breach::at(exchange.request(), "does not answer one of many requests")))
            }
            _ => None,
        })
        .collect();
    verdict.bearing(figure::at_once(view, "requests at once", many()))
}

/// `robust.split-message`
pub static SPLIT_MESSAGE: Rule = Rule {
    id: "robust.split-message",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "A message that arrives in pieces, cut inside a character, is understood.",
    judged: "Well-formed requests with text beyond ASCII that came in several writes are looked at: losing one and taking \
             it for malformed break the rule. Pieces of plain ASCII are the matter of `stdio.framing-by-newline-only`.",
    untested: "no message with text beyond ASCII was sent in pieces",
    judge: split_message,
};

fn split_message(view: View<'_>) -> Verdict {
    let (last_served, astray) = (view.last_served(), view.answered_astray());
    let understood =
        |exchange: &Exchange<'_>| exchange.answer().is_some() && exchange.error_code() != Some(code::PARSE_ERROR);
    let verdict: Verdict = view
        .exchanges()
        .filter(|exchange| exchange.request().delivery == Delivery::Split && exchange.request().is_sound())
        .filter(|exchange| !exchange.request().is_large())
        .filter(|exchange| !exchange.request().frame.bytes().is_ascii())
        .filter_map(|exchange| match exchange.answer() {
            Some(_) if understood(&exchange) => Some(Ok(())),
            Some(answer) => {
                let breach = Breach::at(answer, "takes a message that was cut inside a character for malformed");
                Some(Err(breach.after(exchange.request())))
            }
            None if exchange.fate() == Fate::Silent
                && is_judged_by_silence(exchange, last_served)
                && !astray.contains(&exchange.request().entry) =>
            {
                Some(Err(Breach::at(exchange.request(), "loses a message that was cut inside a character")))
            }
            None => None,
        })
        .collect();
    let understood = verdict.checked;
    verdict.bearing(Figure::count("messages in pieces", understood))
}

/// The most memory in bytes that a subject may take under load: what Node.js or Python take at rest, several times over.
pub const MOST_MEMORY: u64 = 512 << 20;

/// From this many bytes in one session on, memory is not judged: a subject may have reason to keep what it was sent.
pub const TOO_MUCH_SENT: u64 = 64 << 20;

/// The processor time in microseconds that a subject may take for starting, and for anything that is not counted below.
pub const CPU_AT_REST: u64 = 20_000_000;

/// The processor time in microseconds that each message of the harness may cost: 10 s for 1,000 of them.
pub const CPU_PER_MESSAGE: u64 = 10_000;

/// The processor time in microseconds that each byte of the harness may cost: about 10 s for 1 MiB.
pub const CPU_PER_BYTE: u64 = 10;

/// `robust.bounded-memory`
pub static BOUNDED_MEMORY: Rule = Rule {
    id: "robust.bounded-memory",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "Floods and huge or deep messages do not make the subject take memory without bound.",
    judged: "Looked at are only sessions that reach a floor of `turncoat limits`: a flood of 100 messages, or a message \
             of 1 MiB or 10,000 levels. More than 512 MiB at the peak break it, as long as the harness sent less than 64 MiB in the whole session.",
    untested: "no session with a flood or a huge or deep message ran to its end where memory can be measured",
    judge: bounded_memory,
};

fn bounded_memory(view: View<'_>) -> Verdict {
    let Some(load) = Load::of(view).filter(|load| load.bytes < TOO_MUCH_SENT) else { return Verdict::untested() };
    load.judge(load.vitals.peak_bytes <= MOST_MEMORY, || {
        format!("takes {} MiB of memory for {} bytes of messages", load.vitals.peak_bytes >> 20, load.bytes)
    })
    .bearing(Some(Figure::bytes("memory at the peak", load.vitals.peak_bytes)))
}

/// `robust.bounded-cpu`
pub static BOUNDED_CPU: Rule = Rule {
    id: "robust.bounded-cpu",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "Floods and huge or deep messages do not cost the subject processor time out of proportion.",
    judged: "Looked at are only sessions that reach a floor of `turncoat limits`: a flood of 100 messages, or a message \
             of 1 MiB or 10,000 levels. Allowed are 20 s, and 10 s for every 1,000 messages and every MiB that the harness sent: ten times and more of what slow languages \
             need, so that only cost that grows faster than the input breaks it.",
    untested: "no session with a flood or a huge or deep message ran to its end where processor time can be measured",
    judge: bounded_cpu,
};

fn bounded_cpu(view: View<'_>) -> Verdict {
    let Some(load) = Load::of(view) else { return Verdict::untested() };
    let allowed = CPU_AT_REST
        .saturating_add(CPU_PER_MESSAGE.saturating_mul(load.messages))
        .saturating_add(CPU_PER_BYTE.saturating_mul(load.bytes));
    load.judge(load.vitals.cpu_micros <= allowed, || {
        let seconds = load.vitals.cpu_micros / 1_000_000;
        format!("takes {seconds} s of processor time for {} messages of {} bytes", load.messages, load.bytes)
    })
    .bearing(Some(Figure::time("processor time", load.vitals.cpu_micros)))
}

/// What the harness sent in a session under load, and what it cost.
#[derive(Clone, Copy, Debug)]
struct Load {
    messages: u64,
    bytes: u64,
    vitals: Vitals,
    /// The entry of the vital signs.
    measured: usize,
    /// The entry that made it a session of load.
    heaviest: usize,
}

impl Load {
    fn of(view: View<'_>) -> Option<Self> {
        if !view.is_of_the_run() {
            return None;
        }
        let (mut messages, mut bytes, mut measured) = (0_u64, 0_u64, None);
        for (index, entry) in view.entries().iter().enumerate() {
            match &entry.event {
                Event::Sent { frame, .. } => {
                    messages += 1;
                    bytes = bytes.saturating_add(frame.bytes().len() as u64);
                }
                Event::Vitals(vitals) => measured = Some((index, *vitals)),
                _ => {}
            }
        }
        let (measured, vitals) = measured?;
        let sent = view.every_message().filter(|message| message.by == Speaker::Peer);
        let heavy = sent.into_iter().find(|message| {
            let (bytes, levels) = (message.frame.bytes().len() as u64, message.nesting() as u64);
            message.delivery == Delivery::Flood || bytes >= floor::MESSAGE || levels >= floor::NESTING
        })?;
        Some(Self { messages, bytes, vitals, measured, heaviest: heavy.entry })
    }

    fn judge(self, kept: bool, what: impl FnOnce() -> String) -> Verdict {
        let check: Check =
            if kept { Ok(()) } else { Err(Breach::at_entry(self.measured, what()).after_entry(self.heaviest)) };
        [check].into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floors_are_those_that_the_texts_name() {
        assert_eq!((floor::MESSAGE, floor::NESTING, floor::IN_FLIGHT), (1 << 20, 10_000, 100));
        for rule in [&BOUNDED_MEMORY, &BOUNDED_CPU] {
            assert!(
                rule.judged.contains("flood of 100 messages, or a message of 1 MiB or 10,000 levels"),
                "{}",
                rule.id
            );
        }
        assert!(BURST_ANSWERED.judged.contains("100 messages and more"));
    }
}
