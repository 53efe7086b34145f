//! The participant: money is held in phase one, and captured or released in phase two.
//!
//! Nothing of it is stored here. What makes it hold all the same:
//!
//! * every request carries [`BranchContext::key`], which is the same in every repeat of this phase
//!   and another in the other one: the API performs a key once and answers repeats from memory;
//! * phase two names the authorisation by [`BranchContext::try_key`], the key that phase one had. It
//!   is known even where phase one's answer never came;
//! * a release of something that the API has not seen makes it refuse that key later. So a request
//!   that was under way when the transaction rolled back cannot hold money any more.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use unanimous::{BranchContext, PhaseTwoError, participant};

use crate::api::{Authorise, Authorised, Settle};

/// The longest wait for one answer of the API.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Holds money at the payment API. Instances are all alike, so an action runs on any of them.
#[derive(Clone, Debug)]
pub struct Payments {
    client: Client,
    api: String,
}

/// Why a payment failed.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The transaction itself.
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
    /// The API refuses: no money, say.
    #[error("the payment is refused: {0}")]
    Refused(String),
    /// The API did not answer, or said that it failed. It may have done what was asked.
    #[error("the payment API: {0}")]
    Api(String),
}

impl From<reqwest::Error> for PaymentError {
    fn from(error: reqwest::Error) -> Self {
        Self::Api(error.to_string())
    }
}

#[participant(name = "payments", any_instance)]
impl Payments {
    /// Holds the amount on the card.
    #[two_phase_action(commit = capture, rollback = release)]
    pub async fn authorise(&self, card: &str, amount: i64) -> Result<Authorised, PaymentError> {
        let branch = BranchContext::current()
            .ok_or_else(|| PaymentError::Api("phase one has no branch".to_owned()))?;
        let wanted = Authorise {
            card: card.to_owned(),
            amount,
        };
        self.call("authorisations", &branch.key(), &wanted).await
    }

    /// Takes what was held. Confirm comes only after phase one has answered.
    async fn capture(
        &self,
        branch: &BranchContext,
        #[tried] authorised: &Authorised,
    ) -> Result<(), PhaseTwoError> {
        let wanted = Settle {
            authorisation: branch.try_key(),
        };
        let captured: Result<Authorised, _> = self.call("captures", &branch.key(), &wanted).await;
        match captured {
            Ok(captured) if captured == *authorised => Ok(()),
            // Repeating would not help: a person must look.
            Ok(other) => Err(PhaseTwoError::give_up(format!("captured {other:?}"))),
            Err(PaymentError::Refused(why)) => Err(PhaseTwoError::give_up(why)),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives back what was held, whether it was or not: phase one may have failed, its answer may be
    /// lost, and its request may still be under way.
    async fn release(&self, branch: &BranchContext) -> Result<(), PhaseTwoError> {
        let wanted = Settle {
            authorisation: branch.try_key(),
        };
        match self.call::<_, ()>("voids", &branch.key(), &wanted).await {
            Ok(()) => Ok(()),
            Err(PaymentError::Refused(why)) => Err(PhaseTwoError::give_up(why)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Payments {
    /// Payments through the API at this address.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(api: SocketAddr) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: Client::builder().timeout(ANSWER_WITHIN).build()?,
            api: format!("http://{api}"),
        })
    }

    async fn call<Q: Serialize, A: for<'a> Deserialize<'a>>(
        &self,
        what: &str,
        key: &str,
        request: &Q,
    ) -> Result<A, PaymentError> {
        let url = format!("{}/{what}", self.api);
        let request = self.client.post(url).json(request);
        let answer = request.header("idempotency-key", key).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.json().await?),
            StatusCode::PAYMENT_REQUIRED | StatusCode::CONFLICT => {
                Err(PaymentError::Refused(answer.text().await?))
            }
            status => Err(PaymentError::Api(status.to_string())),
        }
    }
}
