//! Handlers of axum that are transactional functions themselves, with extractors as parameters and
//! an error type that is a response.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use tower_service::Service as _;
use unanimous::carry::ServerLayer;
use unanimous::sqlx::{self, Sqlite, SqlitePool, query, query_as};
use unanimous::testing::database;
use unanimous::{FenceTx, Runtime, global_transactional, participant};

use crate::{ended, started};

#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("{user} cannot pay {amount}")]
    NotEnoughMoney { user: String, amount: i64 },
    #[error("log in")]
    Stranger,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotEnoughMoney { .. } => StatusCode::PAYMENT_REQUIRED,
            Self::Stranger => StatusCode::UNAUTHORIZED,
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Transaction(error) => error.http_status(),
        };
        (status, self.to_string()).into_response()
    }
}

#[derive(Clone)]
struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    /// A constant, a constructor and a query live in the block as well.
    const FEE: i64 = 1;

    fn new(db: SqlitePool) -> Self {
        Self { db }
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<i64, ShopError> {
        let amount = amount + Self::FEE;
        let sql = "UPDATE account SET balance = balance - ?2, held = held + ?2
                   WHERE user = ?1 AND balance >= ?2 RETURNING balance";
        let row = query_as::<_, (i64,)>(sql).bind(user).bind(amount);
        let Some((left,)) = row.fetch_optional(&mut *tx).await? else {
            let user = user.to_owned();
            return Err(ShopError::NotEnoughMoney { user, amount });
        };
        Ok(left)
    }

    async fn confirm(&self, tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> sqlx::Result<()> {
        let sql = "UPDATE account SET held = held - ?2 WHERE user = ?1";
        let update = query(sql).bind(user).bind(amount + Self::FEE);
        update.execute(&mut *tx).await.map(drop)
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> sqlx::Result<()> {
        let sql = "UPDATE account SET held = held - ?2, balance = balance + ?2 WHERE user = ?1";
        let update = query(sql).bind(user).bind(amount + Self::FEE);
        update.execute(&mut *tx).await.map(drop)
    }

    async fn sums(&self) -> Vec<(String, i64, i64)> {
        let sql = "SELECT user, balance, held FROM account ORDER BY user";
        query_as(sql).fetch_all(&self.db).await.expect("a table")
    }
}

/// Who asks: an extractor of the service's own.
struct User(String);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = ShopError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ShopError> {
        let user = parts
            .headers
            .get("x-user")
            .and_then(|user| user.to_str().ok());
        user.map(|user| Self(user.to_owned()))
            .ok_or(ShopError::Stranger)
    }
}

#[derive(Clone)]
struct App {
    accounts: Arc<Accounts>,
}

#[derive(Deserialize)]
struct Gift {
    amount: i64,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Receipt {
    left: Vec<i64>,
}

#[global_transactional(name = "shop.pay", timeout = "10s", settle = "10s")]
async fn pay(
    State(App { accounts }): State<App>,
    User(user): User,
    Path(shop): Path<String>,
    RawQuery(also): RawQuery,
    headers: HeaderMap,
    Json(Gift { amount }): Json<Gift>,
) -> Result<(StatusCode, Json<Receipt>), ShopError> {
    assert!(shop == "books" && !headers.is_empty());
    let mut left = vec![accounts.debit(&user, amount).await?];
    if let Some(also) = also {
        left.push(accounts.debit(&also, amount).await?);
    }
    Ok((StatusCode::CREATED, Json(Receipt { left })))
}

/// What it returns has no name.
#[global_transactional(propagation = supports)]
async fn look(Extension(app): Extension<App>) -> Result<impl IntoResponse, ShopError> {
    Ok(Json(app.accounts.sums().await))
}

async fn shop() -> (Runtime, Arc<Accounts>, Router) {
    let schema = "CREATE TABLE account (user TEXT PRIMARY KEY, balance INTEGER, held INTEGER);
                  INSERT INTO account VALUES ('ada', 100, 0), ('ben', 20, 0)";
    let db = database(schema).await.expect("SQLite is compiled in");
    let accounts = Arc::new(Accounts::new(db));
    let runtime = started(|builder| builder.participant(accounts.clone())).await;
    let app = App {
        accounts: accounts.clone(),
    };
    let router = Router::new()
        .route("/{shop}/gifts", post(pay))
        .route("/accounts", get(look).layer(Extension(app.clone())))
        .layer(ServerLayer::new(&runtime))
        .with_state(app);
    (runtime, accounts, router)
}

fn gift(uri: &str, user: Option<&str>, amount: i64) -> Request<Body> {
    let request = Request::post(uri).header("content-type", "application/json");
    let request = match user {
        Some(user) => request.header("x-user", user),
        None => request,
    };
    let body = Body::from(format!(r#"{{"amount":{amount}}}"#));
    request.body(body).expect("a request")
}

#[tokio::test]
async fn a_handler_with_extractors_commits_and_rolls_back() {
    let (runtime, accounts, mut router) = shop().await;
    let answer = ended(
        &runtime,
        router.call(gift("/books/gifts?ben", Some("ada"), 9)),
    )
    .await;
    let answer = answer.expect("routers do not fail");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let body = to_bytes(answer.into_body(), 1_000).await.expect("a body");
    let receipt: Receipt = serde_json::from_slice(&body).expect("a receipt");
    assert_eq!(receipt, Receipt { left: vec![90, 10] });
    let after = [("ada".to_owned(), 90, 0), ("ben".to_owned(), 10, 0)];
    assert_eq!(accounts.sums().await, after);

    let answer = ended(
        &runtime,
        router.call(gift("/books/gifts?ben", Some("ada"), 50)),
    )
    .await;
    let answer = answer.expect("routers do not fail");
    assert_eq!(answer.status(), StatusCode::PAYMENT_REQUIRED);
    assert_eq!(accounts.sums().await, after);

    let answer = ended(&runtime, router.call(gift("/books/gifts", None, 1))).await;
    assert_eq!(
        answer.expect("no failure").status(),
        StatusCode::UNAUTHORIZED
    );
    let look = Request::get("/accounts")
        .body(Body::empty())
        .expect("a request");
    let answer = router.call(look).await.expect("routers do not fail");
    let body = to_bytes(answer.into_body(), 1_000).await.expect("a body");
    assert_eq!(&body[..], br#"[["ada",90,0],["ben",10,0]]"#);
}
