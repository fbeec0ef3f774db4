//! `Tls`: whom a connection trusts, and as whom it introduces itself.

use redis::{Client, ClientTlsConfig, TlsCertificates};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::error::ConnectError;

/// Certificates beside those of the public authorities, if any.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    root: Option<Vec<u8>>,
    own: Option<ClientTlsConfig>,
}

impl Tls {
    pub(crate) fn trust(&mut self, root: Vec<u8>) {
        self.root = Some(root);
    }

    pub(crate) fn introduce_as(&mut self, client_cert: Vec<u8>, client_key: Vec<u8>) {
        self.own = Some(ClientTlsConfig {
            client_cert,
            client_key,
        });
    }

    pub(crate) fn client(&self, url: &str) -> Result<Client, ConnectError> {
        choose_cryptography();
        let client = Client::open(url).map_err(|error| ConnectError::Address(Box::new(error)))?;
        if self.root.is_none() && self.own.is_none() {
            return Ok(client);
        }
        let address = client.get_connection_info().clone();
        if !matches!(address.addr(), redis::ConnectionAddr::TcpTls { .. }) {
            return Err(ConnectError::NotOverTls);
        }
        // The driver takes a text without any for trust in nobody, and says so with every connection.
        for (subject, pem) in [
            ("root certificate", self.root.as_deref()),
            (
                "client certificate",
                self.own.as_ref().map(|own| &*own.client_cert),
            ),
        ] {
            if pem.is_some_and(|pem| CertificateDer::pem_slice_iter(pem).next().is_none()) {
                return Err(ConnectError::NoCertificate(subject));
            }
        }
        let certificates = TlsCertificates {
            client_tls: self.own.clone(),
            root_cert: self.root.clone(),
        };
        Client::build_with_tls(address, certificates)
            .map_err(|error| ConnectError::Certificate(Box::new(error)))
    }
}

/// The driver takes the process's provider, and panics where none was chosen and several are
/// compiled in. A choice that the application made stays.
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may have been quicker, which is as good.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    }
}
