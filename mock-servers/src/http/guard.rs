//! What is looked at before a request is served: where it comes from, and its headers.

use axum::http::StatusCode;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST, ORIGIN};

use super::bend::Incoming;
use super::reply::Refusal;

pub(super) const JSON: &str = "application/json";
pub(super) const EVENTS: &str = "text/event-stream";

/// Refuses what a web page of another site may have sent.
pub(super) fn from_here(incoming: &Incoming) -> Result<(), Refusal> {
    let forbidden = |message| Err(Refusal::new(StatusCode::FORBIDDEN, message));
    let port = incoming.authority.rsplit(':').next().unwrap_or_default();
    let own_host = |host: &str| {
        ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")))
    };
    let mut hosts = incoming.headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() || !host.is_some_and(own_host) {
        return forbidden("the Host is not this server");
    }
    // Whoever is no browser sends none.
    let foreign = incoming.headers.get_all(ORIGIN).iter().any(|origin| {
        !["127.0.0.1", "localhost"]
            .iter()
            .any(|name| origin == format!("http://{name}:{port}").as_str())
    });
    if foreign {
        return forbidden("the Origin is not allowed");
    }
    Ok(())
}

/// Refuses a body that is not labelled as JSON in UTF-8.
pub(super) fn json_body(incoming: &Incoming) -> Result<(), Refusal> {
    let content_type = incoming.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case(JSON));
    let is_utf8 = parts.all(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else {
            return true;
        };
        let value = value.trim_matches('"');
        !name.eq_ignore_ascii_case("charset")
            || value.eq_ignore_ascii_case("utf-8")
            || value.eq_ignore_ascii_case("utf8")
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the Content-Type is not application/json",
    ))
}

/// Refuses a client that does not accept every one of these types.
pub(super) fn accepts(incoming: &Incoming, types: &[&str]) -> Result<(), Refusal> {
    let accept: Vec<&str> = incoming
        .headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    // Without the header anything is accepted, as in HTTP at large.
    let covers = |wanted: &&str| accept.iter().any(|range| covers(range, wanted));
    if !incoming.headers.contains_key(ACCEPT) || types.iter().all(covers) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::NOT_ACCEPTABLE,
        format!("Accept does not cover {}", types.join(" and ")),
    ))
}

/// Whether a media range, which may have a weight, covers a type.
fn covers(range: &str, wanted: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_off = parts.any(|parameter| {
        parameter
            .split_once('=')
            .is_some_and(|(name, weight)| name.eq_ignore_ascii_case("q") && is_zero(weight))
    });
    let kind = wanted.split('/').next().unwrap_or_default();
    let covers = essence == "*/*"
        || essence.eq_ignore_ascii_case(wanted)
        || essence.eq_ignore_ascii_case(&format!("{kind}/*"));
    covers && !is_off
}

fn is_zero(weight: &str) -> bool {
    weight
        .trim()
        .parse::<f64>()
        .is_ok_and(|weight| weight == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_ranges_cover_types_in_any_form() {
        for range in [
            "application/json",
            " Application/JSON ;q=0.5",
            "application/*",
            "*/*;q=0.1",
        ] {
            assert!(covers(range, JSON), "{range}");
        }
        for range in [
            "",
            "text/html",
            "application/json;q=0",
            "text/*",
            "application/jsonp",
            "*/*; q=0.0",
        ] {
            assert!(!covers(range, JSON), "{range}");
        }
    }
}
