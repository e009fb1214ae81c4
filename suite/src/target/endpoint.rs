use std::{ffi::OsString, fmt, path::PathBuf};

use url::Url;

use super::{Command, Secret};

/// A server that is reached over HTTP.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address that is spoken to.
    pub url: Url,
    /// The address and the command as the user gave them, where `{port}` stands in them for a free
    /// port. That is what is shown: the port is another one in each run.
    pub given: Option<Given>,
    /// Headers that every request carries (`--header`).
    pub headers: Vec<(String, Secret)>,
    /// Whether any certificate is accepted (`--insecure`).
    pub insecure: bool,
    /// A file with certificates to trust besides those of the system (`--cacert`).
    pub cacert: Option<PathBuf>,
    /// The command that starts the server, if the tool is to start it.
    pub launch: Option<Command>,
}

/// An address, and the command that is told its port.
#[derive(Clone, Debug)]
pub struct Given {
    /// The address.
    pub url: String,
    /// The words of the command.
    pub command: Vec<OsString>,
}

impl Endpoint {
    /// The address that is spoken to, without a password that it may hold.
    pub fn address(&self) -> String {
        let mut url = self.url.clone();
        if url.password().is_some() {
            // An address that has a password can have it replaced.
            url.set_password(Some(REDACTED)).ok();
        }
        url.to_string()
    }

    /// Whether the host is `localhost`, `::1` or in 127.0.0.0/8.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// Whether the host is `localhost`, `::1` or in 127.0.0.0/8.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Endpoint {
    /// The address as the user gave it, without a password that it may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match &self.given {
            Some(given) => without_password(&given.url),
            None => self.address(),
        })
    }
}

/// What stands in the place of a password.
const REDACTED: &str = "redacted";

/// The text of an address without its password. It may hold `{port}`, which no parser takes.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let parts = authority
        .rsplit_once('@')
        .and_then(|(user, host)| Some((user.split_once(':')?.0, host)));
    match parts {
        Some((user, host)) => format!("{scheme}://{user}:{REDACTED}@{host}{path}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stays_out_of_an_address_that_no_parser_takes() {
        for (given, shown) in [
            ("http://a:b@c:{port}/d", "http://a:redacted@c:{port}/d"),
            ("http://a:b:c@d:{port}", "http://a:redacted@d:{port}"),
            ("http://a@c:{port}/d:e@f", "http://a@c:{port}/d:e@f"),
            ("http://c:{port}/?a:b@c", "http://c:{port}/?a:b@c"),
        ] {
            assert_eq!(without_password(given), shown);
        }
    }
}
