//! HTTP as a well-behaved client speaks it: requests out, heads and bodies in, byte for byte. No
//! redirect is followed by itself, no cookie kept, nothing decompressed.

use std::{io::ErrorKind, net::SocketAddr, sync::Arc, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::time::timeout;
use url::Url;

use super::{
    raw::{self, Body, RawError, RawRequest, RawTarget},
    raw_body::RawBody,
};
use crate::{tape::Exchange, target::Endpoint};

/// A connection to a host that is there is made within this time.
const CONNECT: Duration = Duration::from_secs(10);
/// A connection is not used again after this time: servers close theirs after five seconds or two,
/// and a request that crosses that is lost.
const IDLE: Duration = Duration::from_secs(1);

/// What a request needs to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: Url,
    /// In this order; those that the user gave are added.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Bytes>,
    /// To the byte, where an ordinary client would put it right.
    pub(crate) raw: Option<Raw>,
}

/// What an ordinary client does not do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// The `Host` header; that of the address if none.
    pub(crate) host: Option<String>,
    /// Whether the body goes out in chunks.
    pub(crate) chunked: bool,
    /// Where to connect to instead of what the host of the address resolves to.
    pub(crate) address: Option<SocketAddr>,
}

/// Why there is no head of an answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection could be made.
    #[error("no connection to {0}")]
    Unreachable(String),
    /// The connection was closed, or what came is no HTTP.
    #[error("the connection failed: {0}")]
    Failed(String),
    /// No head within the limit.
    #[error("no HTTP status within {} s", .0.as_secs_f32())]
    Silent(Duration),
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientSetupError {
    /// The certificate file cannot be used.
    #[error("--cacert {path}: {reason}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A header cannot be sent.
    #[error("--header {0}: that is no HTTP header")]
    Header(String),
    /// The TLS library refuses.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// See the module.
pub(crate) struct Client {
    http: reqwest::Client,
    /// The same with a connection for each request.
    fresh: reqwest::Client,
    headers: Vec<(String, String)>,
    tls: Arc<rustls::ClientConfig>,
}

/// An answer whose head has come.
pub(crate) struct Opened {
    pub(crate) exchange: Exchange,
    body: Incoming,
}

enum Incoming {
    Plain(reqwest::Response),
    Raw(RawBody),
}

impl Opened {
    /// The next bytes of the body; none at its end. An error if it breaks off.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, String> {
        match &mut self.body {
            Incoming::Plain(body) => body.chunk().await.map_err(|error| root_cause(&error)),
            Incoming::Raw(body) => body.chunk().await.map_err(|error| error.to_string()),
        }
    }
}

impl Client {
    /// A client for one endpoint.
    ///
    /// # Errors
    /// A certificate or header that cannot be used.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Client, ClientSetupError> {
        let tls = tls(endpoint)?;
        let built = |idle: usize| {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle)
                .http1_only()
                .tls_backend_preconfigured(tls.clone());
            let builder = match endpoint.is_loopback() {
                // No proxy is on the way to this machine.
                true => builder.no_proxy(),
                false => builder,
            };
            let built = builder.build();
            built.map_err(|error| ClientSetupError::Tls(root_cause(&error)))
        };
        let (http, fresh) = (built(usize::MAX)?, built(0)?);
        let mut headers = Vec::new();
        for (name, value) in &endpoint.headers {
            let valid = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(value.expose()).is_ok();
            if !valid {
                return Err(ClientSetupError::Header(name.clone()));
            }
            headers.push((name.clone(), value.expose().to_owned()));
        }
        Ok(Client {
            http,
            fresh,
            headers,
            tls: Arc::new(tls),
        })
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn open(
        &self,
        request: &Request,
        number: u32,
        limit: Duration,
    ) -> Result<Opened, ClientError> {
        if let Some(raw) = &request.raw {
            return self.open_raw(request, raw, number, limit).await;
        }
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|error| ClientError::Failed(error.to_string()))?;
        let send = |client: &reqwest::Client| {
            let mut builder = client.request(method.clone(), request.url.clone());
            for (name, value) in self.headers_of(request) {
                builder = builder.header(name, value);
            }
            if let Some(body) = &request.body {
                builder = builder.body(body.clone());
            }
            builder.send()
        };
        let sent = async {
            match send(&self.http).await {
                Err(error) if is_stale(&error) => send(&self.fresh).await,
                sent => sent,
            }
        };
        let response = match timeout(limit, sent).await {
            Err(_) => return Err(ClientError::Silent(limit)),
            Ok(Err(error)) if error.is_connect() => {
                return Err(ClientError::Unreachable(format!(
                    "{}: {}",
                    origin(&request.url),
                    root_cause(&error)
                )));
            }
            Ok(Err(error)) => return Err(ClientError::Failed(root_cause(&error))),
            Ok(Ok(response)) => response,
        };
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        Ok(Opened {
            exchange: exchange(request, number, response.status().as_u16(), headers),
            body: Incoming::Plain(response),
        })
    }

    /// The headers of a request, and those that the user gave unless it has its own.
    fn headers_of<'a>(
        &'a self,
        request: &'a Request,
    ) -> impl Iterator<Item = &'a (String, String)> {
        let own = |name: &str| {
            let mut set = request.headers.iter();
            set.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let given = self.headers.iter().filter(move |(name, _)| !own(name));
        request.headers.iter().chain(given)
    }

    async fn open_raw(
        &self,
        request: &Request,
        raw: &Raw,
        number: u32,
        limit: Duration,
    ) -> Result<Opened, ClientError> {
        let url = &request.url;
        let target = RawTarget {
            host: url
                .host_str()
                .unwrap_or_default()
                .trim_matches(['[', ']'])
                .to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            tls: (url.scheme() == "https").then(|| Arc::clone(&self.tls)),
            address: raw.address,
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let is_host = |name: &str| name.eq_ignore_ascii_case("host");
        let mut given = self.headers.iter();
        let given = given.find(|(name, _)| is_host(name));
        let host = raw.host.clone();
        let host = host.or_else(|| given.map(|(_, value)| value.clone()));
        let host = host.unwrap_or_else(|| target.authority());
        let mut sent = RawRequest::new(request.method, &path).header("Host", host.as_bytes());
        for (name, value) in self.headers_of(request) {
            if !is_host(name) {
                sent = sent.header(name, value.as_bytes());
            }
        }
        if let Some(credentials) = basic(url) {
            sent = sent.header("Authorization", credentials.as_bytes());
        }
        if let Some(body) = &request.body {
            let body = body.to_vec();
            sent = sent.body(match raw.chunked {
                true => Body::Chunked(
                    body.chunks(body.len().div_ceil(3).max(1))
                        .map(<[u8]>::to_vec)
                        .collect(),
                ),
                false => Body::Bytes(body),
            });
        }
        let response = raw::send(&target, &sent, limit)
            .await
            .map_err(|error| match error {
                RawError::Refused | RawError::Unreachable(_) | RawError::NoConnection(_) => {
                    ClientError::Unreachable(format!("{}: {error}", origin(url)))
                }
                RawError::NoStatus(limit) => ClientError::Silent(limit),
                other => ClientError::Failed(other.to_string()),
            })?;
        let headers = response
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        Ok(Opened {
            exchange: exchange(request, number, response.status, headers),
            body: Incoming::Raw(response.body),
        })
    }
}

/// Whether the connection may have been stale: a server may close one that is idle at any time, and
/// resets it if something comes then, which it has not read (RFC 9112, 9.5).
fn is_stale(error: &reqwest::Error) -> bool {
    if error.is_connect() {
        return false;
    }
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            let kind = error.kind();
            return matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_incomplete_message()
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn exchange(
    request: &Request,
    number: u32,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
) -> Exchange {
    Exchange {
        number,
        method: request.method.to_owned(),
        url: request.url.to_string(),
        sent: request.headers.clone(),
        posted: Vec::new(),
        status,
        headers,
    }
}

/// `scheme://host:port` of an address.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The credentials that an address holds, as the header `Authorization` has them (RFC 7617).
fn basic(url: &Url) -> Option<String> {
    let password = url.password();
    if url.username().is_empty() && password.is_none() {
        return None;
    }
    let plain = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [
        &plain(url.username())[..],
        b":",
        &plain(password.unwrap_or_default()),
    ]
    .concat();
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

/// The innermost reason of an error: the outer ones only say that there was one.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn tls(endpoint: &Endpoint) -> Result<rustls::ClientConfig, ClientSetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientSetupError::Tls(error.to_string()))?;
    if endpoint.insecure {
        let verifier = Arc::new(Anything(provider));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth());
    }
    let extra = match &endpoint.cacert {
        None => Vec::new(),
        Some(path) => certificates(path)?,
    };
    let verifier = match rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider) {
        Ok(verifier) => verifier,
        // Small images hold no certificates; without TLS there is no need of any, and none is trusted.
        Err(_) if endpoint.url.scheme() == "http" => {
            return Ok(builder
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth());
        }
        Err(error) => return Err(ClientSetupError::Tls(error.to_string())),
    };
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, ClientSetupError> {
    let wrong = |reason: String| ClientSetupError::Certificate {
        path: path.display().to_string(),
        reason,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong(error.to_string()))?
        .collect();
    match found {
        Ok(found) if found.is_empty() => Err(wrong("it holds no certificate in PEM".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Accepts every certificate (`--insecure`).
#[derive(Debug)]
struct Anything(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
