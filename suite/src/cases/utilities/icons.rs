//! Icons, wherever the server shows some.

use url::Url;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[SRC, SIZES];

/// The lists whose entries may have icons, and the member of the result that holds them.
const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
];

/// The icons in a result, each with what it belongs to.
fn icons_of<'a>(method: &str, result: &'a Value) -> Vec<(String, &'a Value)> {
    if method == "initialize" {
        let icons = icons(&result["serverInfo"]);
        return icons.map(|icon| ("the server".to_owned(), icon)).collect();
    }
    let Some((_, member)) = LISTS.iter().find(|(known, _)| *known == method) else {
        return Vec::new();
    };
    let entries = result[member].as_array().into_iter().flatten();
    let named = entries.flat_map(|entry| {
        let owner = format!(
            "`{}` of `{member}`",
            entry["name"].as_str().unwrap_or_default()
        );
        icons(entry).map(move |icon| (owner.clone(), icon))
    });
    named.collect()
}

/// The icons of one thing. What shape they have is judged where the thing is.
fn icons(owner: &Value) -> impl Iterator<Item = &Value> {
    owner["icons"].as_array().into_iter().flatten()
}

/// The icons in the response that the event is.
fn seen<'a>(event: &Event<'a>, past: &Past) -> Vec<(String, &'a Value)> {
    let found = || {
        let message = response(event)?;
        let method = &past.client.asked(message)?.method;
        Some(icons_of(method, message.result()?))
    };
    found().unwrap_or_default()
}

/// The icons of everything that the server has listed.
async fn published(s: &Talk) -> Result<Vec<Value>, Stop> {
    let offer = s.offer().await?;
    let initialized = s.session.initialized().unwrap_or_default();
    let lists = [
        &offer.tools,
        &offer.prompts,
        &offer.resources,
        &offer.templates,
    ];
    let listed = lists.into_iter().flatten();
    let all = std::iter::once(&initialized["serverInfo"]).chain(listed);
    Ok(all.flat_map(icons).cloned().collect())
}

const SRC: Case = Case::probe(
    Clause {
        id: "utilities/icon-src",
        title: "Icons are http, https or base64 data URIs",
        statement: "`src` of an icon of the server (serverInfo, tools, prompts, resources, templates) \
            is an HTTP or HTTPS URL or a data URI with base64 data.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_11_25, "basic/index#icons")],
        fault: "icon-file-scheme",
    },
    Advice {
        why: "Clients refuse other schemes, since `javascript:` or `file:` in a picture is a way \
            in; the icon is never shown.",
        how: "Looks at `src` of the icons in the answer to `initialize` and in all lists.",
        mend: "Serve the icon over https, or put it into a `data:` URI in base64.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let icons = published(s).await?;
            let mut sources = icons.iter().filter_map(|icon| icon["src"].as_str()).peekable();
            if sources.peek().is_none() {
                return unverified("no icon is published");
            }
            for source in sources {
                if scheme_is(source, "data") && source.contains('%') {
                    s.remark("the data of an icon are percent-encoded, which not every client undoes");
                }
                if scheme_is(source, "http") {
                    s.remark(format!("an icon comes over plain http: `{source}`"));
                }
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| {
        seen(event, past).iter().any(|(_, icon)| icon["src"].is_string())
    },
    holds: |event, past| {
        for (owner, icon) in seen(event, past) {
            if let (Some(source), Some(message)) = (icon["src"].as_str(), message(event))
                && let Some(flaw) = flaw_of(source)
            {
                let start: String = source.chars().take(80).collect();
                return broken_by(
                    format!("the icon of {owner} has the source `{start}`, {flaw}"),
                    message,
                    past,
                );
            }
        }
        Ok(())
    },
    unseen: "no icon is published",
});

fn scheme_is(source: &str, scheme: &str) -> bool {
    source
        .split_once(':')
        .is_some_and(|(own, _)| own.eq_ignore_ascii_case(scheme))
}

/// What is wrong with the source of an icon.
fn flaw_of(source: &str) -> Option<String> {
    if scheme_is(source, "data") {
        return data_flaw(source).map(str::to_owned);
    }
    match Url::parse(source) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url
            .host()
            .is_none()
            .then(|| "which names no host".to_owned()),
        Ok(url) => Some(format!("which is a URI of the scheme `{}`", url.scheme())),
        Err(_) => Some("which is no absolute URL".to_owned()),
    }
}

fn data_flaw(source: &str) -> Option<&'static str> {
    let Some((head, payload)) = source.split_once(',') else {
        return Some("which is no data URI");
    };
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return Some("whose data are not in base64");
    }
    // A percent sign begins an escape, which a reader resolves first.
    let is_base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'%');
    if payload.is_empty() || !payload.bytes().all(is_base64) {
        return Some("whose data are not in base64");
    }
    None
}

const SIZES: Case = Case::probe(
    Clause {
        id: "utilities/icon-sizes",
        title: "Icon sizes read WIDTHxHEIGHT or any",
        statement: "Each entry of an icon's `sizes` is a width and a height in pixels joined by a \
            lower-case x, or the word any.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_11_25, "schema#icon-sizes")],
        fault: "icon-bad-sizes",
    },
    Advice {
        why: "Clients choose by it; an entry that they cannot read costs them the right picture.",
        how: "Looks at `sizes` of the icons in the answer to `initialize` and in all lists.",
        mend: "Write each size as `48x48`, with a small x, in an entry of its own; `any` is for \
            pictures that scale.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let icons = published(s).await?;
            match icons.iter().any(|icon| sizes(icon).next().is_some()) {
                true => Ok(()),
                false => unverified("no icon with sizes is published"),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, past| {
        seen(event, past)
            .iter()
            .any(|(_, icon)| sizes(icon).next().is_some())
    },
    holds: |event, past| {
        for (owner, icon) in seen(event, past) {
            if let (Some(size), Some(message)) =
                (sizes(icon).find(|size| !is_size(size)), message(event))
            {
                return broken_by(
                    format!(
                        "an icon of {owner} has the size `{size}`, neither WIDTHxHEIGHT nor `any`"
                    ),
                    message,
                    past,
                );
            }
        }
        Ok(())
    },
    unseen: "no icon with sizes is published",
});

fn sizes(icon: &Value) -> impl Iterator<Item = &str> {
    icon["sizes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn is_size(text: &str) -> bool {
    let is_length = |text: &str| {
        !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    text == "any"
        || text
            .split_once('x')
            .is_some_and(|(width, height)| is_length(width) && is_length(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_a_client_may_fetch_pass() {
        for source in [
            "https://example.com/icon.png",
            "HTTP://example.com/",
            "data:image/png;base64,iVBORw0KGgo=",
            "data:image/svg+xml;charset=utf-8;BASE64,PHN2Zy8%2B",
        ] {
            assert_eq!(flaw_of(source), None, "{source}");
        }
        for source in [
            "file:///icon.png",
            "javascript:alert(1)",
            "ws://example.com/",
            "icon.png",
            "//example.com/icon.png",
            "https://",
            "data:image/png,abc",
            "data:image/png;base64",
            "data:image/png;base64,",
            "data:image/svg+xml;base64,<svg/>",
        ] {
            assert!(flaw_of(source).is_some(), "{source}");
        }
    }

    #[test]
    fn sizes_are_two_lengths_or_any() {
        for size in ["48x48", "1x1", "1024x9", "any"] {
            assert!(is_size(size), "{size}");
        }
        for size in [
            "48",
            "48X48",
            "48x48 96x96",
            "048x48",
            "x48",
            "48x",
            "Any",
            "",
            "0x0",
        ] {
            assert!(!is_size(size), "{size}");
        }
    }
}
