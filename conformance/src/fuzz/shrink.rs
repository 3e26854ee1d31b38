//! Taking departures away until what is left is needed.

use std::time::{Duration, Instant};

use turncoat::script::{Script, simpler};

/// The most sessions that one finding is shrunk with.
const MOST: usize = 400;
/// The longest that one finding is shrunk for; other sessions go on meanwhile.
const LONGEST: Duration = Duration::from_secs(60);

/// Goes to simpler scripts for as long as they show the same; `shows` plays one and gives what it shows.
pub(super) fn shrink<T>(best: &mut (Script, T), shows: impl Fn(&Script) -> Option<T>, stop: impl Fn() -> bool) {
    let until = Instant::now() + LONGEST;
    let mut left = MOST;
    while let Some(next) = step(&best.0, &shows, &mut left, &|| stop() || Instant::now() > until) {
        *best = next;
    }
}

/// The first simpler script that shows the same.
fn step<T>(
    script: &Script,
    shows: &impl Fn(&Script) -> Option<T>,
    left: &mut usize,
    stop: &dyn Fn() -> bool,
) -> Option<(Script, T)> {
    for candidate in simpler(script) {
        if *left == 0 || stop() {
            return None;
        }
        *left -= 1;
        if let Some(shown) = shows(&candidate) {
            return Some((candidate, shown));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use turncoat::script::{Step, file};

    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let text = "about = \"x\"\nprovokes = []\n[[step]]\ndo = \"fence\"\n[[step]]\ndo = \"request\"\nmethod = \"ping\"\n\
                    set = { \"/id\" = true, \"/a\" = 1 }\nsplit = 3\n[[step]]\ndo = \"collect\"\n";
        let script = file::read("x.toml", "x", text).unwrap();
        let odd = |script: &Script| {
            let text = file::write(script).unwrap();
            text.contains("/id").then_some(())
        };
        let mut best = (script, ());
        shrink(&mut best, odd, || false);
        let expected =
            "about = \"x\"\nprovokes = []\n[[step]]\ndo = \"request\"\nmethod = \"ping\"\nset = { \"/id\" = true }\n";
        assert_eq!(best.0, file::read("x.toml", "x", expected).unwrap());
        assert!(matches!(best.0.steps[..], [Step::Say(_)]));
    }

    #[test]
    fn it_can_be_stopped() {
        let script = file::read("x.toml", "x", "about = \"x\"\nprovokes = []\n[[step]]\ndo = \"fence\"\n").unwrap();
        let mut best = (script.clone(), ());
        shrink(&mut best, |_| Some(()), || true);
        assert_eq!(best.0, script);
    }
}
