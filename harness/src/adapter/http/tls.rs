//! Connections by TLS: to a server whose certificate an authority vouches for, or is the one that was expected.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsConnector;

use super::prompt::Prompt;
use super::{Connect, ConnectFuture, Stream, Url};

/// Whom to believe that a certificate is the server's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// The authorities that this machine trusts.
    System,
    /// The authorities in a file of certificates in PEM.
    Authorities(PathBuf),
    /// Nobody: the certificate must be this one.
    Pinned(Fingerprint),
}

/// The SHA-256 of a certificate in DER, as 64 hexadecimal digits with or without colons.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate.as_ref()).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a fingerprint is a SHA-256: 64 hexadecimal digits, with colons between them or not")]
pub struct NoFingerprint;

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|character| *character != ':')
            .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or(NoFingerprint)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
        }
        Ok(Self(bytes))
    }
}

/// Why no connection by TLS can ever be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot speak TLS to {host}: {why}")]
pub struct TlsError {
    /// The host.
    pub host: String,
    /// What is wrong.
    pub why: String,
}

/// Opens connections by TLS.
pub(super) struct Tls {
    host: String,
    port: u16,
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Tls {
    pub(super) fn new(url: &Url, trust: &Trust) -> Result<Self, TlsError> {
        let fail = |why: String| TlsError { host: url.host().to_owned(), why };
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| fail(error.to_string()))?;
        let config = match trust {
            Trust::System => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                versions.with_root_certificates(roots).with_no_client_auth()
            }
            Trust::Authorities(file) => {
                let roots = read(file).map_err(fail)?;
                versions.with_root_certificates(roots).with_no_client_auth()
            }
            Trust::Pinned(expected) => versions
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pin { expected: *expected, provider }))
                .with_no_client_auth(),
        };
        let name = ServerName::try_from(url.host().to_owned()).map_err(|error| fail(error.to_string()))?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { host: url.host().to_owned(), port: url.port(), name, connector })
    }
}

fn read(file: &Path) -> Result<RootCertStore, String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| format!("{}: {error}", file.display()))?;
        roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if roots.is_empty() { Err(format!("{} has no certificate in PEM", file.display())) } else { Ok(roots) }
}

impl Connect for Tls {
    fn connect(&self) -> ConnectFuture<'_> {
        Box::pin(async {
            let stream = Prompt::connect(&self.host, self.port).await?;
            let secure = self.connector.connect(self.name.clone(), stream).await;
            let secure = secure.map_err(|error| io::Error::new(error.kind(), format!("TLS failed: {error}")))?;
            Ok(Box::new(secure) as Box<dyn Stream>)
        })
    }
}

/// Accepts one certificate, whoever signed it and whatever names it has.
#[derive(Debug)]
struct Pin {
    expected: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let own = Fingerprint::of(end_entity);
        if own == self.expected {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General(format!("the certificate has the fingerprint {own}, which is not the pinned one")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_read_with_and_without_colons() {
        let plain = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let colons = plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair)).collect::<Vec<_>>().join(":");
        let read: Fingerprint = plain.parse().unwrap();
        assert_eq!(colons.parse(), Ok(read));
        assert_eq!(read.to_string(), plain.to_lowercase());
        for text in ["", "00", &plain[2..], &format!("{plain}00"), "zz"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NoFingerprint));
        }
    }
}
