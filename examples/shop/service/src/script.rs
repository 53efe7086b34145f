//! The lines between the launcher and a service.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// A line from the launcher. `NAME` is a pause point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// `hold NAME`: the next one to reach the point waits there.
    Hold(String),
    /// `release NAME`: whoever waits there goes on.
    Release(String),
}

/// A line to the launcher.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Report {
    /// `listening on ADDRESS`: ready for calls.
    Listening(SocketAddr),
    /// `holding NAME`: the command was heard.
    Holding(String),
    /// `reached NAME`: somebody is there.
    Reached(String),
    /// `told NAME TEXT`: what came of it.
    Told(String, String),
}

/// The line is none of those.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownLine;

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold(name) => write!(f, "hold {name}"),
            Self::Release(name) => write!(f, "release {name}"),
        }
    }
}

impl FromStr for Command {
    type Err = UnknownLine;

    fn from_str(line: &str) -> Result<Self, UnknownLine> {
        match line.split_once(' ') {
            Some(("hold", name)) => Ok(Self::Hold(name.to_owned())),
            Some(("release", name)) => Ok(Self::Release(name.to_owned())),
            _ => Err(UnknownLine),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening(address) => write!(f, "listening on {address}"),
            Self::Holding(name) => write!(f, "holding {name}"),
            Self::Reached(name) => write!(f, "reached {name}"),
            Self::Told(name, text) => write!(f, "told {name} {text}"),
        }
    }
}

impl FromStr for Report {
    type Err = UnknownLine;

    fn from_str(line: &str) -> Result<Self, UnknownLine> {
        let (verb, rest) = line.split_once(' ').ok_or(UnknownLine)?;
        match verb {
            "listening" => {
                let address = rest.strip_prefix("on ").ok_or(UnknownLine)?;
                address
                    .parse()
                    .map(Self::Listening)
                    .map_err(|_| UnknownLine)
            }
            "holding" => Ok(Self::Holding(rest.to_owned())),
            "reached" => Ok(Self::Reached(rest.to_owned())),
            "told" => {
                let (name, text) = rest.split_once(' ').ok_or(UnknownLine)?;
                Ok(Self::Told(name.to_owned(), text.to_owned()))
            }
            _ => Err(UnknownLine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_as_it_was_written() {
        let point = || "after-calls".to_owned();
        for command in [Command::Hold(point()), Command::Release(point())] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
        for report in [
            Report::Listening("127.0.0.1:7070".parse().unwrap()),
            Report::Holding(point()),
            Report::Reached(point()),
            Report::Told(point(), "it went well".to_owned()),
        ] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            "hold",
            "wait here",
            "listening at 127.0.0.1:1",
            "told x",
            "panic!",
        ] {
            assert_eq!(line.parse::<Command>(), Err(UnknownLine), "{line}");
            assert_eq!(line.parse::<Report>(), Err(UnknownLine), "{line}");
        }
    }
}
