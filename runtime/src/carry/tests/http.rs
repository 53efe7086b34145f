//! Over a real socket: axum behind the server layer, reqwest with the middleware.

use axum::Router;
use axum::routing::post;
use reqwest_middleware::ClientBuilder;
use unanimous_protocol::Outcome;

use super::*;

#[tokio::test]
async fn reqwest_carries_a_transaction_to_axum() {
    let runtime = runtime().await;
    let join = async || {
        branch(&Scope::current().unwrap(), 1);
        "joined"
    };
    let fail = async || {
        branch(&Scope::current().unwrap(), 1);
        ::http::StatusCode::CONFLICT
    };
    let carries = async |headers: HeaderMap| format!("{:?}", headers.get(header::CALL));
    let app = Router::new()
        .route("/join", post(join))
        .route("/fail", post(fail))
        .route("/outside", post(carries))
        .layer(ServerLayer::new(&runtime));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let layer = ReqwestLayer::new().participants_only();
    let client = ClientBuilder::new(::reqwest::Client::new())
        .with(layer)
        .build();
    let url = |path: &str| format!("http://{address}/{path}?user=u1");
    let scope = scope(&runtime);
    let joined = scope.enter(client.post(url("join")).send()).await.unwrap();
    assert_eq!(joined.text().await.unwrap(), "joined");
    assert_eq!(
        scope.end(crate::global::calls::Ending::Ok).to_string(),
        "1;ok;names=1;x="
    );
    let plain = client.post(url("outside")).send().await.unwrap();
    assert_eq!(plain.text().await.unwrap(), "None");

    let failed = scope.enter(client.post(url("fail")).send()).await.unwrap();
    assert_eq!(failed.status(), 409);
    let refused = scope
        .enter(client.post(url("join")).send())
        .await
        .unwrap_err();
    assert!(
        matches!(Error::find_in(&refused), Some(Error::RollbackOnly { .. })),
        "{refused:?}"
    );
    serving.abort();

    let gone = crate::GlobalTransaction::named("purchase")
        .runtime(&runtime)
        .run(async {
            let lost = client.post(url("join")).send().await;
            assert!(lost.is_err());
            Ok::<_, Error>(())
        });
    let gone = gone.await.unwrap();
    assert!(
        matches!(gone.outcome, Some(Outcome::RolledBack { .. })),
        "{gone:?}"
    );
}
