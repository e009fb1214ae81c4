use std::{fmt, net::IpAddr, path::PathBuf};

use url::Url;

use super::{Command, Secret};

/// A server that is reached over HTTP.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address that the user gave.
    pub url: Url,
    /// Headers that every request carries (`--header`).
    pub headers: Vec<(String, Secret)>,
    /// Whether any certificate is accepted (`--insecure`).
    pub insecure: bool,
    /// A file with certificates to trust besides those of the system (`--cacert`).
    pub cacert: Option<PathBuf>,
    /// The command that starts the server, if the tool is to start it.
    pub launch: Option<Command>,
}

impl Endpoint {
    /// Whether the host is `localhost`, `::1` or in 127.0.0.0/8.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(url::Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl fmt::Display for Endpoint {
    /// The address, without a password that it may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        if url.password().is_some() {
            // An address that has a password can have it replaced.
            url.set_password(Some("redacted")).ok();
        }
        write!(f, "{url}")
    }
}
