//! Certificates of servers and clients, from authorities that a test makes for itself.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::Account;

/// An authority that nobody trusts who was not given its certificate.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, and the key that belongs to it, both as PEM.
#[derive(Debug)]
pub struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    /// A new one. All have the same name, as an impostor's would.
    pub fn new() -> Result<Self, String> {
        Self::make().map_err(|error| error.to_string())
    }

    /// Vouches for a host name or an address.
    pub fn certify(&self, name: &str) -> Result<Identity, String> {
        self.sign(name).map_err(|error| error.to_string())
    }

    /// Its certificate, as PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    fn make() -> Result<Self, Error> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (params.distinguished_name).push(DnType::CommonName, "a test's authority");
        CertifiedIssuer::self_signed(params, KeyPair::generate()?).map(Self)
    }

    fn sign(&self, name: &str) -> Result<Identity, Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok(Identity {
            certificate: params.signed_by(&key, &self.0)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl Identity {
    /// The certificate, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The key, as PEM.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// That a server speaks TLS alone.
pub(crate) struct Tls<'a> {
    pub(crate) identity: &'a Identity,
    /// Whose certificates it asks its clients for.
    pub(crate) clients: Option<&'a Authority>,
}

/// Where a server finds what it needs for that.
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) clients: Option<PathBuf>,
}

impl Tls<'_> {
    pub(crate) fn write(&self, account: Account, folder: &Path) -> Result<TlsFiles, String> {
        let write = |name: &str, text: &str| account.secret(folder, name, text);
        let clients = self.clients.map(Authority::certificate);
        Ok(TlsFiles {
            certificate: write("certificate.pem", &self.identity.certificate)?,
            key: write("key.pem", &self.identity.key)?,
            clients: clients
                .map(|text| write("clients.pem", &text))
                .transpose()?,
        })
    }
}
