//! What a vendor tells about a server, so that more of it can be tested.
//!
//! ```toml
//! [fixtures]                # what scripts may use, by the names that they ask for
//! echo = { tool = "say", arguments = { text = "hello" } }
//! slow = { tool = "sleep", arguments = { seconds = 2 } }
//!
//! [headers]                 # sent with every HTTP request, and shown nowhere
//! Authorization = "Bearer secret"
//!
//! [environment]             # added to the environment of the process
//! API_KEY = "none"
//!
//! [limits]                  # what this subject needs; options of the command line win
//! jobs = 1
//! timeout = 30.0
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use turncoat::script::{Fixture, Fixtures};

use crate::mistake::FileMistake;

/// What a subject file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubjectFile {
    /// What scripts may use.
    pub fixtures: Fixtures,
    /// Header lines for every HTTP request.
    pub headers: BTreeMap<String, String>,
    /// Variables for the environment of the process.
    pub environment: BTreeMap<String, String>,
    /// What the subject needs.
    pub limits: Limits,
}

/// What a subject needs; none is the default of the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// How many sessions it bears at once.
    pub jobs: Option<usize>,
    /// How long an answer of it may take.
    pub timeout: Option<Duration>,
}

impl SubjectFile {
    /// Reads a subject file.
    ///
    /// # Errors
    ///
    /// The first mistake in the file.
    pub fn read(path: &Path) -> Result<Self, FileMistake> {
        let text = std::fs::read_to_string(path).map_err(|error| FileMistake::unreadable(path, &error))?;
        Self::parse(path, &text)
    }

    /// Reads the text of a subject file; the path is for messages.
    ///
    /// # Errors
    ///
    /// The first mistake: bad TOML, an unknown key, a fixture that is not exactly one thing, a variable that no
    /// process can have, or a limit out of range.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileMistake> {
        let written: Written = toml::from_str(text).map_err(|error| FileMistake::toml(path, text, &error))?;
        let fail = |span, what: String| FileMistake::at(path, text, span, what);
        let mut fixtures = Fixtures::new();
        for (name, fixture) in written.fixtures {
            let span = fixture.span();
            let fixture = fixture.into_inner();
            let named = [&fixture.tool, &fixture.prompt, &fixture.uri].into_iter().flatten().count();
            if named != 1 {
                return Err(fail(span, format!("fixture {name:?} needs exactly one of `tool`, `prompt` and `uri`")));
            }
            if fixture.uri.is_some() && !fixture.arguments.is_empty() {
                return Err(fail(span, format!("fixture {name:?} is a resource, which takes no `arguments`")));
            }
            fixtures.insert(name, fixture);
        }
        let mut environment = BTreeMap::new();
        for (name, value) in written.environment {
            if name.is_empty() || name.contains(['=', '\0']) || value.get_ref().contains('\0') {
                return Err(fail(value.span(), format!("no process can have the variable {name:?} with this value")));
            }
            environment.insert(name, value.into_inner());
        }
        let mut headers = BTreeMap::new();
        for (name, value) in written.headers {
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let sound = !name.is_empty()
                && name.bytes().all(token)
                && value.get_ref().bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte));
            if !sound {
                return Err(fail(
                    value.span(),
                    format!("no request can have the header line {name:?} with this value"),
                ));
            }
            headers.insert(name, value.into_inner());
        }
        let limits = written.limits.unwrap_or_default();
        if let Some(jobs) = limits.jobs.as_ref().filter(|jobs| *jobs.get_ref() == 0) {
            return Err(fail(jobs.span(), "at least one session must run".to_owned()));
        }
        let timeout = match limits.timeout {
            None => None,
            Some(written) => match seconds(*written.get_ref()) {
                Some(timeout) => Some(timeout),
                None => return Err(fail(written.span(), LIMIT.to_owned())),
            },
        };
        let jobs = limits.jobs.map(Spanned::into_inner);
        Ok(Self { fixtures, headers, environment, limits: Limits { jobs, timeout } })
    }
}

/// What a time-out must be.
pub const LIMIT: &str = "a time-out is a number of seconds above 0, at most 3600";

/// A time-out in seconds, if it is one.
#[must_use]
pub fn seconds(number: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(number).ok()?;
    (!duration.is_zero() && duration <= Duration::from_secs(3600)).then_some(duration)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    fixtures: BTreeMap<String, Spanned<Fixture>>,
    #[serde(default)]
    headers: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    environment: BTreeMap<String, Spanned<String>>,
    limits: Option<WrittenLimits>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimits {
    jobs: Option<Spanned<usize>>,
    timeout: Option<Spanned<f64>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<SubjectFile, FileMistake> {
        SubjectFile::parse(Path::new("s.toml"), text)
    }

    #[test]
    fn reads_what_the_documentation_shows() {
        let text = r#"
            [fixtures]
            echo = { tool = "say", arguments = { text = "hello" } }
            page = { uri = "file:///a" }
            greet = { prompt = "greet", arguments = { name = "x" } }
            [headers]
            Authorization = "Bearer x"
            [environment]
            API_KEY = "none"
            [limits]
            jobs = 1
            timeout = 0.5
        "#;
        let file = parse(text).unwrap();
        assert_eq!(file.fixtures["echo"].tool.as_deref(), Some("say"));
        assert_eq!(file.fixtures["echo"].arguments["text"], "hello");
        assert_eq!(file.fixtures["page"].uri.as_deref(), Some("file:///a"));
        assert_eq!(file.headers["Authorization"], "Bearer x");
        assert_eq!(file.environment["API_KEY"], "none");
        let timeout = Some(Duration::from_millis(500));
        assert_eq!(file.limits, Limits { jobs: Some(1), timeout });
        assert_eq!(parse("").unwrap(), SubjectFile::default());
    }

    #[test]
    fn the_files_of_the_servers_under_test_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sut/subjects");
        for file in std::fs::read_dir(folder).unwrap() {
            SubjectFile::read(&file.unwrap().path()).unwrap();
        }
    }

    #[test]
    fn mistakes_name_file_line_and_key() {
        let cases = [
            ("[fixture]", "s.toml:1:2: unknown field `fixture`"),
            ("[fixtures]\necho = { tol = \"x\" }", "s.toml:2:10: unknown field `tol`"),
            ("[fixtures]\necho = { tool = 3 }", "s.toml:2:17: `tool`: invalid type"),
            ("[fixtures]\necho = {}", "s.toml:2:8: `echo`: fixture \"echo\" needs exactly one of"),
            ("[fixtures]\necho = { tool = \"a\", uri = \"b\" }", "s.toml:2:8: `echo`: fixture \"echo\" needs exactly"),
            ("[fixtures]\np = { uri = \"b\", arguments = { a = 1 } }", "s.toml:2:5: `p`: fixture \"p\" is a resource"),
            ("[environment]\nA = 1", "s.toml:2:5: `A`: invalid type: integer `1`, expected a string"),
            ("[environment]\n\"A=B\" = \"1\"", "s.toml:2:9: `\"A=B\"`: no process can have"),
            ("[headers]\n\"A B\" = \"1\"", "s.toml:2:9: `\"A B\"`: no request can have"),
            ("[limits]\njobs = 0", "s.toml:2:8: `jobs`: at least one session"),
            ("[limits]\ntimeout = -1.0", "s.toml:2:11: `timeout`: a time-out is"),
            ("[limits]\ntimeout = nan", "s.toml:2:11: `timeout`: a time-out is"),
            ("[limits\njobs = 1", "s.toml:1:8: "),
        ];
        for (text, message) in cases {
            let mistake = parse(text).unwrap_err().to_string();
            assert!(mistake.starts_with(message), "{mistake}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse(&text).map_err(|mistake| mistake.to_string());
        }

        #[test]
        fn nor_does_nearly_toml(lines in prop::collection::vec(
            "(\\[(fixtures|environment|limits)\\]|[ab] = (1|-1.5|nan|\"\"|\\{ (tool|uri|é) = (1|\"x\") \\})|(jobs|timeout) = (0|1|1e400))",
            0..8,
        )) {
            let _ = parse(&lines.join("\n")).map_err(|mistake| mistake.to_string());
        }

        #[test]
        fn any_environment_is_read_back(name in "[A-Z_]{1,8}", value in "[^\0]{0,20}") {
            let text = toml::to_string(&BTreeMap::from([("environment", BTreeMap::from([(&name, &value)]))])).unwrap();
            prop_assert_eq!(&parse(&text).unwrap().environment[&name], &value);
        }
    }
}
