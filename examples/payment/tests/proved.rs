//! The participant without a database, through every fault that the provers know: each phase twice,
//! failing and dropped at every point, and every order of try, confirm and cancel.

use std::sync::Arc;

use payment::api::{Api, Card};
use payment::payments::Payments;
use unanimous::testing::{Phase, Point, Proof, Prover};

#[tokio::test]
async fn payments_hold_whatever_is_repeated_lost_or_out_of_order() {
    let prover = Prover::of(
        async |builder| {
            let api = Api::serve(&[("ann", 100)]).await.expect("a port");
            let payments = Payments::new(api.address()).expect("a client");
            let builder = builder.participant(Arc::new(payments.clone()));
            (builder, (api, payments))
        },
        async |(_, payments): &(Api, Payments)| payments.authorise("ann", 30).await,
        async |(api, _): &(Api, Payments)| -> Card { api.books().card("ann") },
    );
    let Proof { points, orders, .. } = prover.assert_proved().await;
    assert_eq!(orders, 30 + 11);
    for phase in [Phase::Try, Phase::Commit, Phase::Rollback] {
        assert!(points.contains(&(phase, Point::AfterBusiness)), "{phase:?}");
    }
}
