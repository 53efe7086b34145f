//! A payment API as others offer it: authorisations that are captured or voided, each request under
//! an idempotency key. It keeps its books in memory.
//!
//! | request | does | repeated under its key |
//! |---|---|---|
//! | `POST /authorisations` | holds money on a card, unless its key was voided before | the same answer, nothing done |
//! | `POST /captures` | takes what an authorisation holds | the same answer, nothing done |
//! | `POST /voids` | gives back what an authorisation holds; one that never came is refused later | the same answer, nothing done |

mod books;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Json, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::books::{Answer, Refused};
pub use self::books::{Books, Card};

/// What is asked of `/authorisations`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Authorise {
    /// Whose money.
    pub card: String,
    /// How much.
    pub amount: i64,
}

/// What an authorisation holds, or a capture took.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Authorised {
    /// How much.
    pub amount: i64,
}

/// What is asked of `/captures` and `/voids`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Settle {
    /// The key under which the authorisation was asked.
    pub authorisation: String,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// `/authorisations`
    Authorise,
    /// `/captures`
    Capture,
    /// `/voids`
    Void,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It fails before anything is done.
    Fails,
    /// It is done, and its answer is lost.
    AnswerLost,
    /// It hangs before anything is done, until whoever asked goes away.
    HangsBefore,
    /// It is done, and its answer hangs until whoever asked goes away.
    HangsAfter,
}

/// The API, served on a loopback port until it is dropped.
#[derive(Debug)]
pub struct Api {
    address: SocketAddr,
    bank: Arc<Bank>,
    served: JoinHandle<io::Result<()>>,
}

#[derive(Debug, Default)]
struct Bank {
    books: Mutex<Books>,
    /// What goes wrong next.
    faults: Mutex<Vec<(Operation, Fault)>>,
    /// Somebody hangs.
    hangs: Notify,
}

impl Api {
    /// Serves the API for these cards, each with this much money.
    ///
    /// # Errors
    ///
    /// When no loopback port can be listened on.
    pub async fn serve(cards: &[(&str, i64)]) -> io::Result<Self> {
        let bank = Arc::new(Bank {
            books: Mutex::new(Books::new(cards)),
            ..Bank::default()
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let routes = Router::new()
            .route("/authorisations", post(authorise))
            .route("/captures", post(capture))
            .route("/voids", post(void))
            .with_state(bank.clone());
        let served = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            address,
            bank,
            served,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request of this kind meets this fault; several are met one after the other.
    pub fn next(&self, operation: Operation, fault: Fault) {
        lock(&self.bank.faults).push((operation, fault));
    }

    /// Waits until a request hangs.
    pub async fn hangs(&self) {
        self.bank.hangs.notified().await;
    }

    /// Whether every fault was met.
    #[must_use]
    pub fn faults_are_over(&self) -> bool {
        lock(&self.bank.faults).is_empty()
    }

    /// The books as they are now.
    #[must_use]
    pub fn books(&self) -> Books {
        lock(&self.bank.books).clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn authorise(
    State(bank): State<Arc<Bank>>,
    headers: HeaderMap,
    Json(request): Json<Authorise>,
) -> Told {
    let key = key(&headers)?;
    let done = |books: &mut Books| books.authorise(&key, &request);
    bank.perform(Operation::Authorise, done).await
}

async fn capture(
    State(bank): State<Arc<Bank>>,
    headers: HeaderMap,
    Json(request): Json<Settle>,
) -> Told {
    let key = key(&headers)?;
    let done = |books: &mut Books| books.capture(&key, &request.authorisation);
    bank.perform(Operation::Capture, done).await
}

async fn void(
    State(bank): State<Arc<Bank>>,
    headers: HeaderMap,
    Json(request): Json<Settle>,
) -> Told {
    let key = key(&headers)?;
    let done = |books: &mut Books| books.void(&key, &request.authorisation);
    bank.perform(Operation::Void, done).await
}

type Told = Result<Json<Option<Authorised>>, (StatusCode, String)>;

/// A payment API refuses what carries no key: it could not tell a repeat from a second payment.
fn key(headers: &HeaderMap) -> Result<String, (StatusCode, String)> {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok());
    let missing = || (StatusCode::BAD_REQUEST, "no idempotency key".to_owned());
    key.map(str::to_owned).ok_or_else(missing)
}

impl Bank {
    async fn perform(&self, operation: Operation, done: impl FnOnce(&mut Books) -> Answer) -> Told {
        let failed = || (StatusCode::INTERNAL_SERVER_ERROR, String::new());
        let fault = self.fault(operation);
        match fault {
            Some(Fault::Fails) => return Err(failed()),
            Some(Fault::HangsBefore) => self.hang().await,
            _ => {}
        }
        let answer = done(&mut lock(&self.books));
        match fault {
            Some(Fault::AnswerLost) => return Err(failed()),
            Some(Fault::HangsAfter) => self.hang().await,
            _ => {}
        }
        match answer {
            Ok(authorised) => Ok(Json(authorised)),
            Err(Refused::NoMoney) => {
                Err((StatusCode::PAYMENT_REQUIRED, "not enough money".to_owned()))
            }
            Err(Refused::Never(why)) => Err((StatusCode::CONFLICT, why.to_owned())),
        }
    }

    fn fault(&self, operation: Operation) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let next = faults.iter().position(|(of, _)| *of == operation)?;
        Some(faults.remove(next).1)
    }

    /// Until the connection is closed, which drops the handler.
    async fn hang(&self) {
        self.hangs.notify_one();
        std::future::pending::<()>().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while the lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
