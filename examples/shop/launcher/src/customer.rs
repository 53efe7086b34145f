//! Orders over HTTP, as people place them.

use std::fmt;
use std::net::SocketAddr;

use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// Somebody who orders; clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    client: Client,
    url: String,
}

/// What is ordered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Wish {
    pub(crate) user: String,
    pub(crate) sku: String,
    pub(crate) count: u32,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    xid: Option<String>,
    error: Option<String>,
    order: i64,
}

#[derive(Deserialize)]
struct Placed {
    order: i64,
    xid: Option<String>,
    error: Option<String>,
}

impl Customer {
    pub(crate) fn of(address: SocketAddr) -> Result<Self, Failure> {
        // Nothing here leaves the machine.
        let client = Client::builder().no_proxy().build()?;
        Ok(Self {
            client,
            url: format!("http://{address}/orders"),
        })
    }

    /// Orders, and waits for the answer. The order goes its way also if nobody waits.
    pub(crate) async fn order(&self, wish: Wish) -> Result<Answer, Failure> {
        let response = self.client.post(&self.url).json(&wish).send().await?;
        let (status, body) = (response.status(), response.text().await?);
        let Placed { order, xid, error } = serde_json::from_str(&body)
            .map_err(|_| format!("the order service answered {status}: {body}"))?;
        Ok(Answer {
            status,
            xid,
            error,
            order,
        })
    }
}

impl Answer {
    pub(crate) fn is_committed(&self) -> bool {
        self.status == StatusCode::CREATED
    }

    /// The transaction that decided it.
    pub(crate) fn xid(&self) -> Option<&str> {
        self.xid.as_deref()
    }

    /// Why not.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, sku, count } = self;
        write!(
            f,
            r#"POST /orders {{"user":"{user}","sku":"{sku}","count":{count}}}"#
        )
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, order {}", self.status, self.order)?;
        match &self.error {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}
