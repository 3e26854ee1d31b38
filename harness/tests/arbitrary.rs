//! Properties that hold for every session that the generators can make.

use arbitrary::Unstructured;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use turncoat::adapter::embedded::{self, Embedded};
use turncoat::reference::Behaviour;
use turncoat::revision::{Revision, Revisions, Side};
use turncoat::script::{Opening, simpler};
use turncoat::transcript::{Header, Transport};
use turncoat::{generate, oracle};

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

proptest! {
    // Always the same cases: new ones are what the fuzz targets are for, and a red test should be of one's own making.
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn rules_judge_any_transcript(bytes in bytes(4_000)) {
        let transcript = generate::transcript(&mut Unstructured::new(&bytes)).unwrap();
        oracle::judges(&transcript);
    }

    #[test]
    fn transcripts_are_read_as_they_are_written(bytes in bytes(4_000)) {
        let transcript = generate::transcript(&mut Unstructured::new(&bytes)).unwrap();
        let mut written = Vec::new();
        transcript.write(&mut written).unwrap();
        prop_assert_eq!(oracle::transcript_file(&written), Some(transcript));
    }

    #[test]
    fn sessions_end_and_repeat_themselves(bytes in bytes(1_000)) {
        let script = generate::script(&mut Unstructured::new(&bytes), Revisions::ALL, Transport::Stdio).unwrap();
        let subject = Embedded::server(Behaviour::default());
        let (first, again) = (oracle::converse(&script, &subject), oracle::converse(&script, &subject));
        oracle::blameless(&first);
        prop_assert_eq!(first, again);
    }

    #[test]
    fn scripts_do_what_is_written_of_them(bytes in bytes(1_000), over_http in any::<bool>()) {
        let transport = if over_http { Transport::Http } else { Transport::Stdio };
        let script = generate::script(&mut Unstructured::new(&bytes), Revisions::ALL, transport).unwrap();
        let again = oracle::rewritten(&script).unwrap();
        let subject = embedded::over(transport, Behaviour::default());
        let said = |script| {
            let transcript = oracle::converse(script, &*subject);
            transcript.entries.into_iter().map(|entry| entry.event).collect::<Vec<_>>()
        };
        prop_assert_eq!(said(&script), said(&again));
    }

    #[test]
    fn mutants_are_scripts_and_shrink(bytes in bytes(2_000)) {
        let mut input = Unstructured::new(&bytes);
        let script = generate::script(&mut input, Revisions::ALL, Transport::Stdio).unwrap();
        let other = generate::script(&mut input, Revisions::ALL, Transport::Stdio).unwrap();
        let mut mutant = generate::mutated(&mut input, &script, &other).unwrap();
        oracle::blameless(&oracle::converse(&mutant, &Embedded::server(Behaviour::default())));
        // Whatever is taken away, there is an end to it.
        let mut steps = 0;
        loop {
            let next = simpler(&mutant).last();
            let Some(next) = next else { break };
            mutant = next;
            steps += 1;
            prop_assert!(steps < 10_000);
        }
        prop_assert!(mutant.steps.is_empty());
    }

    #[test]
    fn arguments_are_made_from_any_schema(bytes in bytes(1_000)) {
        oracle::arguments(&generate::schema(&mut Unstructured::new(&bytes)).unwrap());
    }
}

#[test]
fn generators_do_without_bytes() {
    let mut nothing = Unstructured::new(&[]);
    let transcript = generate::transcript(&mut nothing).unwrap();
    assert_eq!(transcript.header, Header::new(Side::Server, transcript.header.revision));
    let script = generate::script(&mut nothing, Revisions::ALL, Transport::Stdio).unwrap();
    assert_eq!((script.open, script.steps.len()), (Opening::Handshake, 0));
    oracle::blameless(&oracle::converse(&script, &Embedded::server(Behaviour::default())));
}

#[test]
fn generators_reach_every_revision_and_both_sides() {
    let bytes: Vec<u8> = noise(400_000);
    let mut input = Unstructured::new(&bytes);
    let headers: Vec<Header> = (0..200).map(|_| generate::transcript(&mut input).unwrap().header).collect();
    for revision in Revision::ALL {
        assert!(headers.iter().any(|header| header.revision == revision), "{revision}");
    }
    for side in [Side::Client, Side::Server] {
        assert!(headers.iter().any(|header| header.side == side), "{side}");
    }
}

/// Judging 20,000 messages must not take a noticeable time; quadratic rules show here as a test that never ends.
#[test]
fn long_transcripts_are_judged() {
    let bytes = noise(4_000_000);
    let transcript = generate::long_transcript(&mut Unstructured::new(&bytes), 20_000).unwrap();
    assert!(transcript.entries.len() >= 20_000, "the bytes ran out");
    oracle::judges(&transcript);
}

/// The same bytes every time, without a pattern that a generator could fall into.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}
