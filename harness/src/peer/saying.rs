//! What a script says, as bytes: one message or several, in one write or in pieces.

use serde_json::json;

use super::{Patience, Peer, Purpose, Record, Sending, compose, fill, reply};
use crate::floor;
use crate::revision::Revision;
use crate::script::{Say, What};
use crate::transcript::{Delivery, Intent};
use crate::wire::{Frame, Id};

/// The most messages that one step sends over HTTP: several times as many as a session has connections. Further ones would
/// only stand in line on this side, and each of them costs the subject a whole request.
const FLOOD_OVER_HTTP: u32 = 256;

impl Peer<'_> {
    pub(super) fn say(&mut self, say: Say) -> Option<Sending> {
        let mut sending = Sending::default();
        let mut ids = Vec::new();
        let delivery = match &say {
            say if !say.newline => Delivery::Unended,
            say if say.split > 1 => Delivery::Split,
            say if u64::from(say.repeat) >= floor::IN_FLIGHT => Delivery::Flood,
            say if say.repeat > 1 => Delivery::Burst,
            _ => Delivery::Whole,
        };
        let mut bytes = Vec::new();
        let most = if self.part.endpoint.is_some() { FLOOD_OVER_HTTP } else { u32::MAX };
        for _ in 0..say.repeat.min(most) {
            let (text, purpose) = self.text_of(&say)?;
            let frame = Frame::new(text);
            ids.extend(self.note(&say, &frame, purpose));
            let intent = if say.honest { Intent::Honest } else { Intent::Departure };
            bytes.extend_from_slice(frame.bytes());
            if say.newline {
                bytes.push(b'\n');
            }
            sending.records.push(Record::said(frame, intent, delivery, &say));
        }
        sending.pieces = compose::pieces(bytes, say.split);
        if say.wait {
            self.wait_for(ids, if say.honest { Patience::Full } else { Patience::Brief });
        }
        Some(sending)
    }

    pub(super) fn together(&mut self, says: Vec<Say>, as_array: bool) -> Option<Sending> {
        let mut sending = Sending::default();
        let (mut bytes, mut ids, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        let honest = says.iter().all(|say| say.honest);
        for say in &says {
            let Some((text, purpose)) = self.text_of(say) else { continue };
            let frame = Frame::new(text);
            let noted = self.note(say, &frame, purpose);
            if say.wait {
                ids.extend(noted);
            }
            if as_array {
                texts.push(frame);
                continue;
            }
            bytes.extend_from_slice(frame.bytes());
            if say.newline {
                bytes.push(b'\n');
            }
            let intent = if say.honest { Intent::Honest } else { Intent::Departure };
            let delivery = if say.newline { Delivery::Burst } else { Delivery::Unended };
            sending.records.push(Record::said(frame, intent, delivery, say));
        }
        if as_array {
            let legal = self.part.revision == Revision::V2025_03_26 && !texts.is_empty();
            let array =
                [b"[".to_vec(), texts.iter().map(Frame::bytes).collect::<Vec<_>>().join(&b","[..]), b"]".to_vec()]
                    .concat();
            bytes.extend_from_slice(&array);
            bytes.push(b'\n');
            let intent = if honest && legal { Intent::Honest } else { Intent::Departure };
            sending.records.push(Record::new(array, intent, Delivery::Whole));
        }
        sending.pieces = vec![bytes];
        self.wait_for(ids, if honest && !as_array { Patience::Full } else { Patience::Brief });
        Some(sending)
    }

    /// Opens the request that a text is, if it is one, and gives its id.
    pub(super) fn note(&mut self, say: &Say, frame: &Frame, purpose: Purpose) -> Option<Id> {
        if frame.bytes().contains(&b'\n') {
            let lines = frame.bytes().split(|byte| *byte == b'\n');
            self.used.extend(lines.flat_map(|line| compose::ids_in(&Frame::new(line))));
        } else {
            self.used.extend(compose::ids_in(frame));
        }
        // The answers to other clients are theirs.
        let id = compose::id_of(frame).filter(|_| say.http.client == 0)?;
        self.open.insert(id.clone(), purpose);
        Some(id)
    }

    /// The text of something to say; none where a placeholder has no value.
    pub(super) fn text_of(&mut self, say: &Say) -> Option<(Vec<u8>, Purpose)> {
        let fresh = matches!(say.what, What::Request { id: None, .. }).then(|| json!(self.fresh_id()));
        let filling = fill::Filling { part: self.part, heard: &self.heard };
        match &say.what {
            What::Bytes(bytes) => Some((bytes.clone(), Purpose::Nothing)),
            What::Text(text) => Some((filling.text(text)?.into_bytes(), Purpose::Nothing)),
            What::Notify { method, params, edits } => {
                let message = compose::notification(self.part, method, params.clone());
                Some((filling.message(compose::edited(message, edits))?.into_bytes(), Purpose::Nothing))
            }
            What::Request { method, params, id, progress, edits } => {
                let id = id.clone().or(fresh).unwrap_or_default();
                let mut message = compose::request(self.part, id, method, params.clone());
                compose::add_progress(&mut message, progress.as_ref());
                if let Some(input) = edits.input {
                    reply::add_input(self.part, &self.heard, input, &mut message)?;
                }
                let text = filling.message(compose::edited(message, edits))?;
                let purpose = match method.as_str() {
                    "initialize" => Purpose::Hello { and_initialized: false },
                    "tools/call" if say.honest => {
                        compose::params_of(&text).map_or(Purpose::Nothing, |params| Purpose::Call { params })
                    }
                    _ => Purpose::Nothing,
                };
                Some((text.into_bytes(), purpose))
            }
            What::Call { .. } => None,
        }
    }
}
