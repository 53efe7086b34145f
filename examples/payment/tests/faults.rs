//! Whatever goes wrong at the API and on the way there: a purchase is paid once, or not at all.

use std::time::Duration;

use payment::api::{Api, Card, Fault, Operation};
use payment::shop::Shop;
use tempfile::TempDir;

const PRICE: i64 = 30;

async fn open() -> (Api, Shop, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let api = Api::serve(&[("ann", 100)]).await.expect("a port");
    let shop = Shop::open(api.address(), folder.path())
        .await
        .expect("a shop");
    (api, shop, folder)
}

/// The card once nothing is held any more.
fn card(sold: i64) -> Card {
    Card {
        free: 100 - sold * PRICE,
        held: 0,
        captured: sold * PRICE,
    }
}

async fn assert_sold(api: &Api, shop: &Shop, sold: i64, what: &str) {
    assert!(shop.is_quiet().await, "{what}: phase two does not end");
    assert_eq!(api.books().card("ann"), card(sold), "{what}");
    let shelf = shop.shelf().await.expect("the shelf");
    assert_eq!(shelf, (5 - sold, sold * PRICE), "{what}");
    assert!(api.faults_are_over(), "{what}: a fault was not met");
}

#[tokio::test]
async fn a_request_that_fails_or_whose_answer_is_lost_has_one_effect_or_none() {
    let (api, shop, _folder) = open().await;
    for fault in [Fault::Fails, Fault::AnswerLost] {
        for times in 1..=2 {
            let what = format!("capture {fault:?} {times}");
            let (api, shop, _folder) = open().await;
            (0..times).for_each(|_| api.next(Operation::Capture, fault));
            shop.buy("ann", PRICE).await.expect(&what);
            assert_sold(&api, &shop, 1, &what).await;
            // The money was held once and taken once.
            assert_eq!(api.books().effects(), 2, "{what}");
            shop.close().await;
        }
        let what = format!("authorise {fault:?}");
        api.next(Operation::Authorise, fault);
        shop.buy("ann", PRICE).await.expect_err(&what);
        assert_sold(&api, &shop, 0, &what).await;
        let what = format!("authorise and void {fault:?}");
        api.next(Operation::Authorise, Fault::AnswerLost);
        api.next(Operation::Void, fault);
        shop.buy("ann", PRICE).await.expect_err(&what);
        assert_sold(&api, &shop, 0, &what).await;
    }
    shop.close().await;
}

#[tokio::test]
async fn a_customer_who_goes_away_while_the_api_hangs_pays_nothing() {
    let (api, shop, _folder) = open().await;
    for fault in [Fault::HangsBefore, Fault::HangsAfter] {
        api.next(Operation::Authorise, fault);
        tokio::select! {
            bought = shop.buy("ann", PRICE) => panic!("{fault:?}: {bought:?}"),
            () = api.hangs() => {}
        }
        assert_sold(&api, &shop, 0, &format!("{fault:?}")).await;
    }
    shop.close().await;
}

#[tokio::test]
async fn an_authorisation_that_arrives_after_its_release_is_refused() {
    let (api, shop, _folder) = open().await;
    let send = |path: &str, key: &str, body: String| {
        let url = format!("http://{}/{path}", api.address());
        let request = reqwest::Client::new().post(url).body(body);
        let request = request.header("content-type", "application/json");
        request
            .header("idempotency-key", key)
            .timeout(Duration::from_secs(5))
            .send()
    };
    let void = r#"{"authorisation":"first"}"#.to_owned();
    assert_eq!(
        send("voids", "second", void).await.expect("sent").status(),
        200
    );
    let late = format!(r#"{{"card":"ann","amount":{PRICE}}}"#);
    assert_eq!(
        send("authorisations", "first", late)
            .await
            .expect("sent")
            .status(),
        409
    );
    assert_eq!(api.books().card("ann"), card(0));
    shop.close().await;
}
