//! The coordinator's address, as users write it.

use std::path::PathBuf;
use std::time::Duration;

/// Environment variable that names the coordinator where the builder does not.
pub(crate) const VARIABLE: &str = "UNANIMOUS_COORDINATOR";

/// The choices, for every message that refuses.
pub(crate) const CHOICES: &str = "\
choose one with `Runtime::builder().coordinator(..)` or the variable UNANIMOUS_COORDINATOR:
  memory:                        tests; everything is forgotten with the process
  embedded:PATH                  one process, never replicated; the log is the file PATH
                                 (embedded:PATH?listen=127.0.0.1:PORT&wait=30s&restored)
  unanimous://127.0.0.1:7070     several services: `unanimous serve --store PATH --listen ADDR`";

/// A coordinator's address, parsed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Url {
    Memory,
    Embedded(EmbeddedUrl),
    Unanimous { host: String, port: u16 },
}

/// `embedded:PATH[?listen=ADDR][&wait=30s][&restored]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EmbeddedUrl {
    pub(crate) path: PathBuf,
    pub(crate) listen: Option<String>,
    pub(crate) wait: Duration,
    pub(crate) restored: bool,
}

/// Why a text is no coordinator's address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{url}` names no coordinator: {why}; {CHOICES}")]
pub struct UrlError {
    url: String,
    why: String,
}

impl Url {
    /// Parses what a user wrote.
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let parsed = match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("memory", _)) => Err("`memory:` takes nothing after the colon".to_owned()),
            Some(("embedded", rest)) => embedded(rest).map(Self::Embedded),
            Some(("unanimous", rest)) => remote(rest),
            Some((scheme, _)) => Err(format!("unknown scheme `{scheme}:`")),
            None => Err("it has no scheme".to_owned()),
        };
        parsed.map_err(|why| UrlError {
            url: url.to_owned(),
            why,
        })
    }
}

fn embedded(rest: &str) -> Result<EmbeddedUrl, String> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() {
        return Err("write the path of the log: `embedded:./unanimous.redb`".to_owned());
    }
    let mut url = EmbeddedUrl {
        path: path.into(),
        listen: None,
        wait: Duration::ZERO,
        restored: false,
    };
    for option in query.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=').unwrap_or((option, "")) {
            ("listen", address) if !address.is_empty() => url.listen = Some(address.to_owned()),
            ("wait", text) => url.wait = duration(text)?,
            ("restored", "") => url.restored = true,
            (name, _) => {
                return Err(format!(
                    "unknown option `{name}`; known: listen=ADDR, wait=30s, restored"
                ));
            }
        }
    }
    Ok(url)
}

fn remote(rest: &str) -> Result<Url, String> {
    let authority = rest
        .strip_prefix("//")
        .ok_or("write `unanimous://HOST:PORT`")?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = authority.rsplit_once(':').ok_or("the port is missing")?;
    let port = port
        .parse()
        .map_err(|_| format!("`{port}` is not a port"))?;
    if host.is_empty() || host.contains(['/', '@', '?']) {
        return Err(format!("`{host}` is not a host"));
    }
    Ok(Url::Unanimous {
        host: host.to_owned(),
        port,
    })
}

/// `30s`, `500ms`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is not a duration like `30s`"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number
            .checked_mul(60)
            .map(Duration::from_secs)
            .ok_or("too long".to_owned()),
        _ => Err(format!("`{text}` is not a duration like `30s`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_is_read() {
        let table = [
            ("memory:", Url::Memory),
            (
                "embedded:./a b.redb?listen=127.0.0.1:0&wait=30s&restored",
                Url::Embedded(EmbeddedUrl {
                    path: "./a b.redb".into(),
                    listen: Some("127.0.0.1:0".to_owned()),
                    wait: Duration::from_secs(30),
                    restored: true,
                }),
            ),
            (
                "unanimous://localhost:7070/",
                Url::Unanimous {
                    host: "localhost".to_owned(),
                    port: 7070,
                },
            ),
            (
                "unanimous://[::1]:70",
                Url::Unanimous {
                    host: "[::1]".to_owned(),
                    port: 70,
                },
            ),
        ];
        for (text, url) in table {
            assert_eq!(Url::parse(text), Ok(url), "{text}");
        }
    }

    #[test]
    fn bad_addresses_name_the_mistake_and_list_the_choices() {
        let table = [
            ("", "it has no scheme"),
            ("unanimous.redb", "it has no scheme"),
            ("memory:x", "takes nothing"),
            ("embedded:", "write the path"),
            ("embedded:a?speed=9", "unknown option `speed`"),
            ("embedded:a?wait=soon", "`soon` is not a duration"),
            ("embedded:a?wait=99999999999999999999s", "is not a duration"),
            ("unanimous:host", "write `unanimous://HOST:PORT`"),
            ("unanimous://host", "the port is missing"),
            ("unanimous://host:high", "`high` is not a port"),
            ("unanimous://:70", "`` is not a host"),
            ("http://host:80", "unknown scheme `http:`"),
        ];
        for (text, mistake) in table {
            let message = Url::parse(text).unwrap_err().to_string();
            assert!(message.contains(mistake), "{text}: {message}");
            assert!(message.contains("embedded:PATH"), "{message}");
        }
    }
}
