//! Plays a script against a subject and records what happens. The one place where a peer meets a link.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::adapter::{Asked, Incoming, Link, Sent};
use crate::peer::server::ServerPeer;
use crate::peer::{Action, HttpRequest, Part, Patience, Peer, Player, Responding, Sending};
use crate::revision::Side;
use crate::transcript::{Ending, Entry, Event, EventData, Header, Http, Intent, Transcript, Transport};
use crate::wire::Frame;

/// The bounds of a session. Nothing is paced by them; they end what would never end.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long an answer that is due may take.
    pub answer: Duration,
    /// How long a client may take from its start to its first sign of life, if that is longer.
    pub start: Duration,
    /// How long the subject may take to end after its input was closed.
    pub exit: Duration,
    /// How long a client may take to give up what is never answered.
    pub patience: Duration,
    /// How long the whole session may take.
    pub session: Duration,
    /// The most entries that are recorded; the session ends there.
    pub entries: usize,
    /// The most bytes of the subject that are recorded; the session ends there.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            start: Duration::from_secs(30),
            exit: Duration::from_secs(5),
            patience: Duration::from_secs(90),
            session: Duration::from_secs(120),
            entries: 500_000,
            bytes: 160 << 20,
        }
    }
}

/// Takes each entry as it is recorded, so that a crash loses nothing.
pub type Keeper<'a> = &'a mut (dyn FnMut(&Entry) + Send);

/// Plays a part over a link and gives back what happened.
pub async fn play(
    part: Part<'_>,
    header: Header,
    link: &mut dyn Link,
    bounds: Bounds,
    keeper: Keeper<'_>,
) -> Transcript {
    let mut stage = Stage {
        link,
        bounds,
        keeper,
        start: Instant::now(),
        entries: Vec::new(),
        bytes: 0,
        round_trip: Duration::ZERO,
        asked: None,
        closed: false,
        left: None,
        gone: false,
        measured: false,
        ended: false,
        is_http: header.transport == Transport::Http && header.side == Side::Server,
        reading: true,
        unwritten: 0,
        side: header.side,
    };
    match header.side {
        Side::Server => stage.perform(&mut Peer::new(part)).await,
        Side::Client => {
            let wanted = part.script.hosting.has_canary;
            let canary = wanted.then(|| stage.link.canary()).flatten();
            stage.perform(&mut ServerPeer::new(part, header.transport, canary)).await;
        }
    }
    Transcript { header, entries: stage.entries }
}

struct Stage<'a> {
    link: &'a mut dyn Link,
    bounds: Bounds,
    keeper: Keeper<'a>,
    start: Instant,
    entries: Vec<Entry>,
    bytes: usize,
    /// The longest time that a fence took.
    round_trip: Duration,
    asked: Option<Instant>,
    gone: bool,
    /// Nothing can be said any more.
    closed: bool,
    /// When a server ended because its input had; not recorded, since the client may start it again.
    left: Option<Instant>,
    measured: bool,
    /// The end of the subject is recorded.
    ended: bool,
    /// The subject serves others too, and does not end with the session.
    is_http: bool,
    reading: bool,
    /// How much of what is said while nothing is read is still to be written: requests, or anything at all on lines.
    unwritten: usize,
    /// Of the subject.
    side: Side,
}

/// What came of the end of the harness's half.
enum Closing {
    Over,
    /// The client started its server again.
    Reopened,
}

/// What listening brought.
enum Heard {
    Something,
    Nothing,
}

impl Stage<'_> {
    async fn perform(&mut self, peer: &mut dyn Player) {
        let mut fences = 0;
        loop {
            if self.is_over() {
                self.link.kill();
                self.record(Event::Killed);
                return;
            }
            match peer.proceed(self.start.elapsed()) {
                Action::Send(sending) => {
                    // It shows who else is served while what was sent before is answered and not read.
                    if sending.records.iter().any(|record| record.intent == Intent::Fence) {
                        self.write_out(peer).await;
                    }
                    self.send(sending);
                }
                Action::HangUp(number) => {
                    self.link.hang_up(number);
                    let what = Http::End { how: Ending::Dropped };
                    self.happened(peer, number, what);
                }
                Action::StopReading => {
                    self.link.stop_reading();
                    self.reading = false;
                    self.unwritten = usize::from(!self.is_http);
                    self.record(Event::StoppedReading);
                }
                Action::ReadOn => self.read_on(peer).await,
                Action::Wait(patience) => {
                    let bound = self.patience(patience);
                    if matches!(self.listen(peer, bound).await, Heard::Nothing) {
                        for id in peer.expired() {
                            self.record(Event::Expired { id: id.text().to_owned() });
                        }
                    }
                }
                Action::Settle if fences < 2 => {
                    fences += 1;
                    peer.settle_again();
                    peer.fence_first();
                }
                Action::Settle => {
                    let until = Instant::now() + self.grace();
                    while matches!(self.listen_until(peer, until).await, Heard::Something) && !self.gone {}
                    if !self.gone {
                        self.record(Event::Settled);
                        peer.settled();
                    }
                    fences = 0;
                    // A client goes on behind it.
                    if self.side == Side::Server {
                        self.measure();
                    }
                }
                Action::Complain(text) => {
                    self.record(Event::Aside { text: text.clone() });
                    self.link.complain(text);
                }
                Action::Close => {
                    if matches!(self.close(peer, None).await, Closing::Over) {
                        return;
                    }
                    fences = 0;
                }
                Action::Exit(status) => {
                    if matches!(self.close(peer, Some(status)).await, Closing::Over) {
                        return;
                    }
                    fences = 0;
                }
                Action::Done => return,
            }
        }
    }

    fn is_over(&self) -> bool {
        self.start.elapsed() > self.bounds.session
            || self.entries.len() >= self.bounds.entries
            || self.bytes >= self.bounds.bytes
    }

    fn patience(&self, patience: Patience) -> Duration {
        match patience {
            // Many start at once, and a busy machine takes its time.
            Patience::Full if self.side == Side::Client && self.entries.is_empty() => {
                self.bounds.answer.max(self.bounds.start)
            }
            Patience::Full => self.bounds.answer,
            Patience::Long => self.bounds.patience,
            Patience::Until(moment) => moment.saturating_sub(self.start.elapsed()),
            Patience::Brief => {
                (self.round_trip * 20).clamp(Duration::from_millis(200), Duration::from_secs(2)).min(self.bounds.answer)
            }
        }
    }

    /// Some of the subject's own round trips: what was stuck behind the fences has come by then.
    fn grace(&self) -> Duration {
        (self.round_trip * 3).clamp(Duration::from_millis(2), Duration::from_millis(250))
    }

    fn send(&mut self, sending: Sending) {
        let mut requests = sending.requests.into_iter();
        for record in sending.records {
            if record.intent == Intent::Fence {
                self.asked = Some(Instant::now());
            }
            let request = requests.next();
            let via = request.as_ref().map(|request| request.number);
            self.announce(request.as_ref());
            let (frame, intent, delivery) = (record.frame, record.intent, record.delivery);
            self.record(Event::Sent { frame, intent, delivery, via });
            self.ask(request, intent);
        }
        for request in requests {
            self.announce(Some(&request));
            self.ask(Some(request), Intent::Honest);
        }
        for Responding { number, events, pieces, then } in sending.responses {
            for event in events {
                if matches!(event, Event::Sent { intent: Intent::Fence, .. }) {
                    self.asked = Some(Instant::now());
                }
                self.record(event);
            }
            self.link.respond(number, pieces, then);
        }
        self.link.write(sending.pieces);
    }

    fn announce(&mut self, request: Option<&HttpRequest>) {
        let Some(HttpRequest { number, client, intent, request, shown, .. }) = request else { return };
        let (verb, target, headers) = (request.verb.clone(), request.target.clone(), shown.clone());
        let what = Http::Request { client: *client, verb, target, headers, intent: *intent };
        self.record(Event::Http { number: *number, what });
    }

    fn ask(&mut self, request: Option<HttpRequest>, intent: Intent) {
        if let Some(HttpRequest { number, request, cut, delay, .. }) = request {
            let unread = !self.reading && intent != Intent::Fence;
            self.unwritten += usize::from(unread);
            self.link.request(number, request, Sent { delay, cut, unread });
        }
    }

    fn happened(&mut self, peer: &mut dyn Player, number: u32, what: Http) {
        self.record(Event::Http { number, what: what.clone() });
        let replies = peer.happened(number, &what);
        // The subject has ended, as far as its peers can tell.
        if peer.has_ended() && !std::mem::replace(&mut self.ended, true) {
            self.record(Event::Ended);
        }
        for reply in replies {
            if !self.closed {
                self.send(reply);
            }
        }
    }

    /// Waits until all is written that was said while nothing is read. A subject that waits for its output to be taken
    /// before it reads on may never take all, so that is waited for only briefly.
    async fn write_out(&mut self, peer: &mut dyn Player) {
        let until = Instant::now() + self.patience(Patience::Brief);
        while !self.reading && self.unwritten > 0 && !self.gone {
            if matches!(self.listen_until(peer, until).await, Heard::Nothing) {
                return;
            }
        }
    }

    async fn read_on(&mut self, peer: &mut dyn Player) {
        self.write_out(peer).await;
        self.reading = true;
        self.unwritten = 0;
        self.link.read_on();
        self.record(Event::ReadOn);
    }

    async fn listen(&mut self, peer: &mut dyn Player, bound: Duration) -> Heard {
        self.listen_until(peer, Instant::now() + bound).await
    }

    async fn listen_until(&mut self, peer: &mut dyn Player, until: Instant) -> Heard {
        let Ok(incoming) = timeout_at(until, self.link.next()).await else { return Heard::Nothing };
        match incoming {
            Incoming::Line { bytes, cut, unfinished, via } => {
                self.bytes += bytes.len();
                let frame = Frame::new(bytes);
                self.record(Event::Received { frame: frame.clone(), cut, unfinished, via });
                let fence = peer.awaits_fence();
                for reply in peer.heard(&frame, via) {
                    if !self.closed {
                        self.send(reply);
                    }
                }
                self.note_round_trip(fence, peer);
            }
            Incoming::Http(number, what) => {
                if let Http::Body { text } | Http::Event { data: EventData::Text(text), .. } = &what {
                    self.bytes += text.len();
                }
                self.happened(peer, number, what);
            }
            Incoming::Asked(number, asked) => self.took(peer, number, asked),
            Incoming::Stderr(text) => self.record(Event::Stderr { text }),
            Incoming::Wish(text) => self.record(Event::Wish { text }),
            Incoming::Surface(text) => {
                self.bytes += text.len();
                self.record(Event::Surface { text });
            }
            Incoming::Connected { number, beside } => {
                if number > 1 {
                    self.left = None;
                    self.closed = false;
                    peer.restarted();
                }
                self.record(Event::Connected { number, beside });
            }
            Incoming::Canary(field) => self.record(Event::Canary { field }),
            Incoming::Signalled(signal) => self.record(Event::Signalled { signal }),
            Incoming::Written => self.unwritten = self.unwritten.saturating_sub(1),
            Incoming::Ended => {
                self.record(Event::Ended);
                peer.ended();
            }
            Incoming::Exited { code, signal, orphans } => {
                // Clients end by themselves, and their links remember what they cost.
                self.measure();
                self.record(Event::Exited { code, signal, orphans });
                peer.ended();
                self.gone = true;
            }
        }
        Heard::Something
    }

    /// Takes an HTTP request of a client.
    fn took(&mut self, peer: &mut dyn Player, number: u32, asked: Asked) {
        self.bytes += asked.body.len();
        let Asked { verb, target, headers, .. } = asked.clone();
        let what = Http::Request { client: 0, verb, target, headers, intent: Intent::Honest };
        self.record(Event::Http { number, what });
        if !asked.body.is_empty() {
            let (frame, cut, unfinished) = (Frame::new(asked.body.clone()), asked.cut, asked.unfinished);
            self.record(Event::Received { frame, cut, unfinished, via: Some(number) });
        }
        if !asked.unfinished {
            let fence = peer.awaits_fence();
            peer.asked(number, asked);
            self.note_round_trip(fence, peer);
        }
    }

    fn note_round_trip(&mut self, awaited: bool, peer: &dyn Player) {
        if awaited && !peer.awaits_fence() {
            let took = self.asked.take().map(|asked| asked.elapsed()).unwrap_or_default();
            self.round_trip = self.round_trip.max(took);
        }
    }

    async fn close(&mut self, peer: &mut dyn Player, status: Option<i32>) -> Closing {
        if self.gone {
            return Closing::Over;
        }
        // A client that has left its server may still start it again, and what it costs is seen at its own end.
        let left = self.side == Side::Client && peer.has_ended() && !self.is_http;
        if !left {
            self.measure();
        }
        match status {
            Some(status) => self.link.exit(status),
            None => self.link.close(),
        }
        self.closed = true;
        if left {
            self.left = Some(Instant::now());
        } else {
            self.record(Event::Closed);
        }
        if self.is_http {
            return Closing::Over;
        }
        let until = Instant::now() + self.bounds.exit;
        while !self.gone {
            if self.is_over() || matches!(self.listen_until(peer, until).await, Heard::Nothing) {
                self.measure();
                self.link.kill();
                self.record(Event::Killed);
                return Closing::Over;
            }
            if !self.closed {
                return Closing::Reopened;
            }
        }
        Closing::Over
    }

    /// Takes the vital signs, once: before the session is ended, which may free what it cost.
    fn measure(&mut self) {
        if !std::mem::replace(&mut self.measured, true)
            && let Some(vitals) = self.link.vitals()
        {
            self.record(Event::Vitals(vitals));
        }
    }

    fn record(&mut self, event: Event) {
        // What a client prints meanwhile says nothing of whether it comes back; its end does.
        if matches!(event, Event::Exited { .. } | Event::Killed | Event::Vitals(_))
            && let Some(left) = self.left.take()
        {
            self.record_at(left, Event::Closed);
        }
        self.record_at(Instant::now(), event);
    }

    fn record_at(&mut self, when: Instant, event: Event) {
        let at = u64::try_from((when - self.start).as_micros()).unwrap_or(u64::MAX);
        let at = at.max(self.entries.last().map_or(0, |last| last.at));
        let entry = Entry { at, event };
        (self.keeper)(&entry);
        self.entries.push(entry);
    }
}
