//! Prompts, with and without arguments.

use serde_json::{Map, Value, json};

use super::{PNG, describe, page, resources, text};
use crate::message::RpcError;
use crate::revision::Revision;
use crate::session::{Outcome, Session};

struct Prompt {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    arguments: &'static [Argument],
}

struct Argument {
    name: &'static str,
    description: &'static str,
    required: bool,
    completions: &'static [&'static str],
}

const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "test_simple_prompt",
        title: "Simple prompt",
        description: "A prompt without arguments",
        arguments: &[],
    },
    Prompt {
        name: "test_prompt_with_arguments",
        title: "Prompt with arguments",
        description: "A prompt with two required arguments",
        arguments: &[
            Argument {
                name: "arg1",
                description: "The first argument",
                required: true,
                completions: &["paris", "park", "party"],
            },
            Argument {
                name: "arg2",
                description: "The second argument",
                required: true,
                completions: &[],
            },
        ],
    },
    Prompt {
        name: "test_prompt_with_embedded_resource",
        title: "Prompt with a resource",
        description: "A prompt that embeds a resource",
        arguments: &[Argument {
            name: "resourceUri",
            description: "The URI of the resource to embed",
            required: true,
            completions: &["test://static-text"],
        }],
    },
    Prompt {
        name: "test_prompt_with_image",
        title: "Prompt with an image",
        description: "A prompt that shows an image",
        arguments: &[],
    },
    Prompt {
        name: "greeting",
        title: "Greeting",
        description: "Greets somebody",
        arguments: &[Argument {
            name: "style",
            description: "How to greet",
            required: false,
            completions: &["casual", "formal"],
        }],
    },
];

/// Serves `prompts/list`.
pub(crate) fn list(revision: Revision, params: &Map<String, Value>) -> Outcome {
    let entries = PROMPTS.iter().map(|prompt| {
        let mut entry = json!({ "name": prompt.name, "description": prompt.description });
        if !prompt.arguments.is_empty() {
            let arguments = prompt.arguments.iter().map(|argument| {
                json!({
                    "name": argument.name,
                    "description": argument.description,
                    "required": argument.required,
                })
            });
            entry["arguments"] = arguments.collect();
        }
        describe(&mut entry, prompt.title, revision);
        entry
    });
    let mut page = page::page("prompts", entries.collect(), params)?;
    // Any result may carry metadata of the server's own.
    page["_meta"] = json!({ "com.example.reference/prompts": PROMPTS.len() });
    Ok(page)
}

/// Serves `prompts/get`.
pub(crate) fn get(session: &Session, params: &Map<String, Value>) -> Outcome {
    let name = text(params, "name")?;
    let Some(prompt) = PROMPTS.iter().find(|prompt| prompt.name == name) else {
        return Err(RpcError::invalid_params(format!("unknown prompt: {name}")));
    };
    let given = match params.get("arguments") {
        None => &Map::new(),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(RpcError::invalid_params("`arguments` must be an object")),
    };
    if let Some((name, _)) = given.iter().find(|(_, value)| !value.is_string()) {
        return Err(RpcError::invalid_params(format!(
            "the argument `{name}` must be a string"
        )));
    }
    for argument in prompt.arguments {
        if argument.required && !given.contains_key(argument.name) {
            return Err(RpcError::invalid_params(format!(
                "the argument `{}` is missing",
                argument.name
            )));
        }
    }
    let value = |name: &str| given.get(name).and_then(Value::as_str);
    let says = |text: String| json!({ "type": "text", "text": text });
    let contents = match prompt.name {
        "test_prompt_with_arguments" => vec![says(format!(
            "Compare {} with {}.",
            value("arg1").unwrap_or_default(),
            value("arg2").unwrap_or_default()
        ))],
        "test_prompt_with_embedded_resource" => {
            let uri = value("resourceUri").unwrap_or_default();
            vec![
                // A resource that is not among the server's own is made up, so that the
                // prompt can be got with any URI.
                json!({ "type": "resource", "resource": resources::contents(session, uri)
                    .unwrap_or_else(|| json!({
                        "uri": uri,
                        "mimeType": "text/plain",
                        "text": "The text of an embedded resource.",
                    }))
                }),
                says("Sum up the resource above.".to_owned()),
            ]
        }
        "test_prompt_with_image" => vec![
            json!({ "type": "image", "data": PNG, "mimeType": "image/png" }),
            says("Describe the image above.".to_owned()),
        ],
        "greeting" => vec![says(format!(
            "Write a {} greeting.",
            value("style").unwrap_or("casual")
        ))],
        _ => vec![says("Say something simple.".to_owned())],
    };
    let messages = contents
        .into_iter()
        .map(|content| json!({ "role": "user", "content": content }));
    Ok(json!({
        "description": prompt.description,
        "messages": messages.collect::<Vec<_>>(),
    }))
}

/// The values of a prompt's argument, if there is such an argument.
pub(crate) fn completions(prompt: &str, argument: &str) -> Option<&'static [&'static str]> {
    PROMPTS
        .iter()
        .find(|known| known.name == prompt)?
        .arguments
        .iter()
        .find(|known| known.name == argument)
        .map(|known| known.completions)
}
