//! Arguments, written field by field before anything is registered.
//!
//! A JSON object keyed by parameter name: no struct is generated, and a partner decodes only what
//! it takes, so a new parameter does not break branches in flight.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use unanimous_protocol::message::Json;
use unanimous_protocol::{Digest, limits};
