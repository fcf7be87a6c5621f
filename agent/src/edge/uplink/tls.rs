//! TLS towards the broker: its certificate is checked against the authorities of the settings and nothing else.

use crate::config::{Broker, ConfigError, secret::Places};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// What a TLS connection needs; nothing when the settings name no authority, which means plain TCP.
pub fn client_config(
    broker: &Broker,
    places: &Places,
) -> Result<Option<Arc<ClientConfig>>, ConfigError> {
    let Some(ca_file) = &broker.ca_file else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    for authority in certificates("broker.ca_file", ca_file, places)? {
        roots.add(authority)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match (&broker.certificate_file, &broker.key_file) {
        (Some(certificate_file), Some(key_file)) => {
            let chain = certificates("broker.certificate_file", certificate_file, places)?;
            let pem = places.read("broker.key_file", key_file)?;
            let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| ConfigError::Pem {
                setting: "broker.key_file",
                file: key_file.display().to_string(),
                expected: "private key",
            })?;
            builder.with_client_auth_cert(chain, key)?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Some(Arc::new(config)))
}

/// The name (CN) in the agent's own certificate; nothing where the settings name none, or it has none.
pub fn certificate_name(broker: &Broker, places: &Places) -> Option<String> {
    let file = broker.certificate_file.as_ref()?;
    let chain = certificates("broker.certificate_file", file, places).ok()?;
    let certificate = webpki::EndEntityCert::try_from(chain.first()?).ok()?;
    common_name(certificate.subject()).map(str::to_owned)
}

/// Id-at-commonName (RFC 5280, appendix A), as it stands in front of its value.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
/// UTF8String, PrintableString and IA5String.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];

/// The common name in the DER of a subject; one of more than 64 signs is none (RFC 5280).
fn common_name(subject: &[u8]) -> Option<&str> {
    let at = memchr::memmem::find(subject, COMMON_NAME)? + COMMON_NAME.len();
    let &[tag, length, ref rest @ ..] = subject.get(at..)? else { return None };
    let is_short = length < 0x80;
    let text = rest.get(..usize::from(length))?;
    (TEXTS.contains(&tag) && is_short).then(|| std::str::from_utf8(text).ok()).flatten()
}

fn certificates(
    setting: &'static str,
    file: &Path,
    places: &Places,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let pem = places.read(setting, file)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let read = read.unwrap_or_default();
    if read.is_empty() {
        let file = file.display().to_string();
        return Err(ConfigError::Pem { setting, file, expected: "certificate" });
    }
    Ok(read)
}
