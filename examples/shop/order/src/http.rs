//! HTTP for people: `POST /orders`, `GET /orders/ID`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use tonic::Code;
use unanimous::Error;

use crate::orders::NewOrder;
use crate::shop::{Shop, ShopError};

/// Transactions begin here. Nobody outside brings one along, so there is no layer that reads one.
pub(crate) fn routes(shop: Shop) -> Router {
    Router::new()
        .route("/orders", post(place))
        .route("/orders/{id}", get(show))
        .with_state(shop)
}

/// What became of a purchase.
#[derive(Serialize)]
struct Placed {
    order: i64,
    /// None if not even the order could be written.
    xid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

async fn place(
    State(shop): State<Shop>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Placed>), ShopError> {
    let order = shop.orders.next_id().await?;
    let (status, error) = match shop.purchase(order, &new).await {
        Ok(()) => (StatusCode::CREATED, None),
        Err(error) => (error.http_status(), Some(error.to_string())),
    };
    let xid = shop.orders.find(order).await?.map(|order| order.xid);
    Ok((status, Json(Placed { order, xid, error })))
}

async fn show(State(shop): State<Shop>, Path(id): Path<i64>) -> Result<Response, ShopError> {
    Ok(match shop.orders.find(id).await? {
        Some(order) => Json(order).into_response(),
        None => (StatusCode::NOT_FOUND, format!("there is no order {id}\n")).into_response(),
    })
}

impl ShopError {
    fn http_status(&self) -> StatusCode {
        match self {
            Self::Transaction(error) => error.http_status(),
            Self::Call(status) => match (Error::find_in(status), status.code()) {
                (Some(error), _) => error.http_status(),
                (None, Code::FailedPrecondition | Code::Aborted) => StatusCode::CONFLICT,
                // Rolled back for sure: the outcome is not what is unknown here.
                (None, Code::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
                (None, _) => StatusCode::BAD_GATEWAY,
            },
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        (self.http_status(), format!("{self}\n")).into_response()
    }
}
