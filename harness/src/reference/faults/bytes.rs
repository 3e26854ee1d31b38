//! Faults of the byte streams: framing, encoding, what else appears on stdout, hostile input, the end of input.

use std::time::Duration;

use serde_json::Value;

use crate::reference::Outbox;
use crate::reference::fault::Fault;
use crate::reference::incoming::Incoming;
use crate::reference::lines::Line;
use crate::reference::message::Message;
use crate::reference::server::{Occasion, Server};
use crate::revision::code;

impl Server {
    /// The first thing it says, if it says anything unasked.
    pub(in crate::reference) fn greet(&mut self, out: &mut Outbox) {
        if self.faulty(Fault::PrintsBanner) && !std::mem::replace(&mut self.grudge.greeted, true) {
            out.bytes.extend_from_slice(b"turncoat reference server, ready\n");
        }
    }

    /// Takes a chunk of input apart wrongly; true if that is all that happens.
    pub(in crate::reference) fn mishandles_chunk(&mut self, now: Duration, bytes: &[u8], out: &mut Outbox) -> bool {
        let last = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if self.faulty(Fault::ChunksAreMessages) {
            self.take(now, Line::Whole(bytes.strip_suffix(b"\n").unwrap_or(bytes)), out);
        } else if self.faulty(Fault::NeedsWholeLines) {
            self.feed(now, &bytes[..last], out);
        } else if self.faulty(Fault::SplitsAtSeparators) {
            let text = String::from_utf8_lossy(bytes).replace('\u{2028}', "\n");
            self.feed(now, text.as_bytes(), out);
        } else if self.faulty(Fault::AnswersFirstOfChunk) {
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
            let second = ends.take(2).last().unwrap_or(bytes.len());
            self.feed(now, if last > second { &bytes[..second] } else { bytes }, out);
        } else if self.faulty(Fault::DropsBeforeEof) {
            let mut later = Outbox::default();
            self.feed(now, bytes, &mut later);
            self.grudge.withheld.extend_from_slice(&later.bytes);
            self.grudge.flush_at = Some(now + Duration::from_millis(1));
            out.exit = later.exit;
        } else {
            return false;
        }
        true
    }

    /// Writes what was withheld.
    pub(in crate::reference) fn flush(&mut self, out: &mut Outbox) {
        self.grudge.flush_at = None;
        out.bytes.append(&mut self.grudge.withheld);
    }

    /// Whether the server lives on after its input has ended; it may say something on this occasion.
    pub(in crate::reference) fn stays(&mut self, out: &mut Outbox) -> bool {
        if self.faulty(Fault::SaysGoodbye) {
            out.bytes.extend_from_slice(b"goodbye\n");
        }
        self.faulty(Fault::StaysAfterEof) || (self.faulty(Fault::StaysWhileListening) && !self.subscriptions.is_empty())
    }

    /// Treats a line wrongly; true if that is all that happens.
    pub(in crate::reference) fn mishandles_line(&mut self, line: &[u8], out: &mut Outbox) -> bool {
        if self.grudge.sulks {
            return true;
        }
        if self.faulty(Fault::Hoards) {
            self.grudge.hoard += 100 * line.len();
        }
        if self.faulty(Fault::Spins) {
            self.grudge.busy += Duration::from_secs(1);
        }
        let incoming = Incoming::sort(line, false);
        let garbage = matches!(incoming, Incoming::NotJson);
        let dies = (garbage && self.faulty(Fault::DiesAfterGarbage))
            || (self.faulty(Fault::DiesOfDepth) && depth(line) > 1000)
            || (self.faulty(Fault::DiesOnOddId) && has_odd_id(line));
        if dies {
            self.exit(101, out);
            return true;
        }
        let huge = line.len() > 1 << 16 && self.faulty(Fault::DeafAfterHugeLine);
        if huge || (garbage && self.faulty(Fault::DeafAfterGarbage)) {
            self.grudge.sulks = true;
            return true;
        }
        if let Incoming::Request { id, .. } = &incoming {
            return self.faulty(Fault::ForgetsIdsThatLookEmpty) && matches!(&*id.raw, "0" | "\"\"");
        }
        let blind =
            [Fault::FractionalRequestId, Fault::BooleanRequestId, Fault::NullRequestId, Fault::ReusesRequestIds];
        blind.into_iter().any(|fault| self.faulty(fault)) && self.takes_any_answer(line, out)
    }

    /// A server whose own ids are unusable takes the first answer for the answer to its oldest question.
    fn takes_any_answer(&mut self, line: &[u8], out: &mut Outbox) -> bool {
        let Ok(Value::Object(message)) = serde_json::from_slice(line) else { return false };
        let (Some(result), Some(oldest)) = (message.get("result"), self.asked.first()) else { return false };
        let id = oldest.id.clone();
        let raw = serde_json::value::to_raw_value(result).ok();
        self.response(&id, raw.as_deref(), out);
        true
    }

    /// Writes a message in bytes of its own; true if that is all that is written.
    pub(in crate::reference) fn miswrites(
        &mut self,
        occasion: Occasion<'_>,
        message: &Message,
        out: &mut Outbox,
    ) -> bool {
        let list = occasion.method.ends_with("/list") && message.result.is_some();
        let tool = occasion.method == "tools/call" && message.result.is_some();
        let text = tool || occasion.method == "prompts/get";
        let has = |fault: Fault| self.faulty(fault) && fault.revisions().has(occasion.revision);
        let mut bytes = Vec::new();
        message.write(&mut bytes);
        if has(Fault::LogsToStdout) && message.error.is_some() {
            out.bytes.extend_from_slice(b"WARN a request was refused\n");
            return false;
        }
        if has(Fault::ExitsOnUnknownMethod) && message.code() == Some(code::METHOD_NOT_FOUND) {
            self.exit(101, out);
            return true;
        }
        let bytes = if has(Fault::SendsBatches) && list {
            [b"[", &*bytes, b"]"].concat()
        } else if has(Fault::PrettyPrints) && list {
            let value = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
            format!("{value:#}").into_bytes()
        } else if has(Fault::RawNewlines) && tool {
            String::from_utf8_lossy(&bytes).replace("\\n", "\n").into_bytes()
        } else if has(Fault::Latin1) && text {
            String::from_utf8_lossy(&bytes).chars().flat_map(latin_1).collect()
        } else if has(Fault::Surrogates) && text {
            String::from_utf8_lossy(&bytes).chars().flat_map(surrogates).collect()
        } else {
            return false;
        };
        out.bytes.extend_from_slice(&bytes);
        out.bytes.push(b'\n');
        self.mark(self.route(message.method.is_none()), out);
        true
    }
}

fn depth(line: &[u8]) -> usize {
    let mut open: usize = 0;
    let mut deepest = 0;
    for byte in line {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

fn has_odd_id(line: &[u8]) -> bool {
    let value = serde_json::from_slice::<Value>(line).unwrap_or_default();
    value.get("id").is_some_and(|id| id.is_object() || id.is_array())
}

/// One byte where Latin-1 has the letter; the letter's own bytes elsewhere.
fn latin_1(letter: char) -> Vec<u8> {
    match u32::from(letter) {
        code @ 0..=0xff => vec![code as u8],
        _ => letter.to_string().into_bytes(),
    }
}

/// Two encoded surrogates for a letter that needs them, as old databases write it.
fn surrogates(letter: char) -> Vec<u8> {
    let mut units = [0; 2];
    match letter.encode_utf16(&mut units) {
        [high, low] => [*high, *low]
            .into_iter()
            .flat_map(|unit| [0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8])
            .collect(),
        _ => letter.to_string().into_bytes(),
    }
}
