//! Where website and API are: on one site, or on two with TLS.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde::Deserialize;
use servers::Authority;
use tokio_rustls::TlsAcceptor;

use crate::site::Problem;

/// Hosts of a site. Those under `.test` are names that the browser is told to look for on this
/// machine.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Hosts {
    /// Two ports of one host: another origin and the same site, over plain HTTP.
    SameSite,
    /// Two registrable domains, over HTTPS.
    CrossSite,
}

impl Hosts {
    /// The website's origin.
    pub(crate) fn website(self, port: u16) -> String {
        match self {
            Self::SameSite => format!("http://localhost:{port}"),
            Self::CrossSite => format!("https://{WEBSITE}:{port}"),
        }
    }

    /// An origin that no application knows, at the website's port.
    pub(crate) fn foreign(self, port: u16) -> String {
        match self {
            Self::SameSite => format!("http://127.0.0.1:{port}"),
            Self::CrossSite => format!("https://www.evil.test:{port}"),
        }
    }

    /// The origin of an API.
    pub(crate) fn api(self, port: u16) -> String {
        match self {
            Self::SameSite => format!("http://localhost:{port}"),
            Self::CrossSite => format!("https://{API}:{port}"),
        }
    }

    /// TLS in front of the website, if there is any.
    pub(crate) fn tls_of_the_website(self) -> Result<Option<TlsAcceptor>, Problem> {
        self.tls(WEBSITE)
    }

    /// TLS in front of an API, if there is any.
    pub(crate) fn tls_of_the_api(self) -> Result<Option<TlsAcceptor>, Problem> {
        self.tls(API)
    }

    fn tls(self, host: &str) -> Result<Option<TlsAcceptor>, Problem> {
        match self {
            Self::SameSite => Ok(None),
            Self::CrossSite => acceptor(host).map(Some),
        }
    }
}

fn acceptor(host: &str) -> Result<TlsAcceptor, Problem> {
    let identity = Authority::new()?.certify(host)?;
    let certificate = CertificateDer::from_pem_slice(identity.certificate().as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key().as_bytes())?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

const WEBSITE: &str = "www.shop.test";
const API: &str = "api.pay.test";
