//! Bytes become lines: the only place that knows how stdio frames messages.

/// A line longer than this is not kept by a server.
pub(super) const LONGEST: usize = 8 << 20;

/// The unfinished line of a byte stream.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    held: Vec<u8>,
    overlong: bool,
    peak: usize,
    longest: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self::up_to(LONGEST)
    }
}

/// One finished line.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// Its bytes without the newline.
    Whole(&'a [u8]),
    /// It was too long to keep.
    Overlong,
}

impl Lines {
    /// Lines of which none is kept that is longer than this.
    pub(super) fn up_to(longest: usize) -> Self {
        Self { held: Vec::new(), overlong: false, peak: 0, longest }
    }

    /// Takes the next line off the front of `bytes`; `None` when the rest was put aside to wait for more.
    ///
    /// A finished line that had to be put together is moved into `assembled`, to which the answer then points.
    pub(super) fn next<'a, 'b: 'a>(&mut self, bytes: &mut &'b [u8], assembled: &'a mut Vec<u8>) -> Option<Line<'a>> {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.hold(bytes);
            *bytes = &[];
            return None;
        };
        let (head, rest) = bytes.split_at(end);
        *bytes = &rest[1..];
        if self.held.is_empty() && !self.overlong && head.len() <= self.longest {
            self.peak = self.peak.max(head.len());
            return Some(Line::Whole(head));
        }
        self.hold(head);
        self.finish(assembled)
    }

    /// What is left when the stream ends without a newline.
    pub(super) fn rest<'a>(&mut self, assembled: &'a mut Vec<u8>) -> Option<Line<'a>> {
        if self.held.is_empty() && !self.overlong {
            return None;
        }
        self.finish(assembled)
    }

    /// The most bytes ever held.
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    fn finish<'a>(&mut self, assembled: &'a mut Vec<u8>) -> Option<Line<'a>> {
        if std::mem::take(&mut self.overlong) {
            return Some(Line::Overlong);
        }
        *assembled = std::mem::take(&mut self.held);
        Some(Line::Whole(assembled))
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.overlong || self.held.len() + bytes.len() > self.longest {
            self.overlong = true;
            self.held = Vec::new();
            return;
        }
        self.held.extend_from_slice(bytes);
        self.peak = self.peak.max(self.held.len());
    }
}
