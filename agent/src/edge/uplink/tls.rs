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
