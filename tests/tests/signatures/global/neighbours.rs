//! Beside the attributes and macros of other crates.

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::handler::Handler;
use axum::http::StatusCode;
use shop_proto::v1::account_server::Account;
use shop_proto::v1::{DebitReply, DebitRequest};
use tonic::{Request, Response, Status};
use tracing::instrument;
use unanimous::{Runtime, global_transactional};

use crate::Ending;
use crate::world::{Failure, Probe, World};

pub(crate) async fn above_instrument(ending: Ending) {
    #[global_transactional]
    #[instrument(skip(probe), err(Debug))]
    async fn shape(probe: &Probe, word: &str, ending: Ending) -> Result<usize, Failure> {
        let length = probe.touch(word).await?;
        ending.with(length)
    }

    let world = World::start().await;
    ending
        .of(&world, shape(&world.probe, "above", ending))
        .await;
}

pub(crate) async fn below_instrument(ending: Ending) {
    #[instrument(skip(probe), ret(level = "debug"))]
    #[global_transactional]
    async fn shape(probe: &Probe, word: &str, ending: Ending) -> Result<usize, Failure> {
        let length = probe.touch(word).await?;
        ending.with(length)
    }

    let world = World::start().await;
    ending
        .of(&world, shape(&world.probe, "below", ending))
        .await;
}

/// Tokio makes a plain function of it, which a thread without a runtime calls.
pub(crate) async fn above_tokio_main(ending: Ending) {
    #[global_transactional(runtime = runtime)]
    #[tokio::main(flavor = "current_thread")]
    async fn shape(runtime: Runtime, probe: Arc<Probe>, ending: Ending) -> Result<usize, Failure> {
        let length = probe.touch("main").await?;
        ending.with(length)
    }

    let world = World::start().await;
    let (runtime, probe) = (world.runtime.clone(), world.probe.clone());
    let call = async move {
        let thread = tokio::task::spawn_blocking(move || shape(runtime, probe, ending));
        thread.await.expect("the thread ends")
    };
    ending.of(&world, call).await;
}

thread_local! {
    /// What a test function, which takes no arguments, works with.
    static GIVEN: RefCell<Option<(Runtime, Arc<Probe>, Ending)>> = const { RefCell::new(None) };
}

fn given() -> (Runtime, Arc<Probe>, Ending) {
    GIVEN.with_borrow(|given| given.clone().expect("the caller gives it"))
}

#[allow(unnameable_test_items, reason = "the table calls it")]
pub(crate) async fn above_tokio_test(ending: Ending) {
    #[global_transactional(runtime = given().0)]
    #[tokio::test]
    async fn shape() -> Result<(), Failure> {
        let (_, probe, ending) = given();
        probe.touch("test").await?;
        ending.with(())
    }

    let world = World::start().await;
    let (runtime, probe) = (world.runtime.clone(), world.probe.clone());
    let call = async move {
        let thread = tokio::task::spawn_blocking(move || {
            GIVEN.set(Some((runtime, probe, ending)));
            let result = shape();
            GIVEN.set(None);
            result
        });
        thread.await.expect("the thread ends")
    };
    ending.of(&world, call).await;
}

/// A handler, called as a router calls it.
pub(crate) async fn axum_handler(ending: Ending) {
    #[global_transactional(map_err = |error| (StatusCode::CONFLICT, error.to_string()))]
    async fn shape(
        State((probe, ending)): State<(Arc<Probe>, Ending)>,
        word: String,
    ) -> Result<String, (StatusCode, String)> {
        let touched = probe.touch(&word).await;
        touched.map_err(|error| (StatusCode::CONFLICT, error.to_string()))?;
        if ending.fails() {
            return Err((StatusCode::PAYMENT_REQUIRED, word));
        }
        Ok(word)
    }

    let world = World::start().await;
    let request = axum::extract::Request::new(Body::from("axum"));
    let state = (world.probe.clone(), ending);
    let call = async move {
        let response = shape.call(request, state).await;
        if response.status() == StatusCode::OK {
            Ok(())
        } else {
            Err(response.status())
        }
    };
    ending.of(&world, call).await;
}

/// A method of a service, run as a server runs it: in a task, through the generated trait.
pub(crate) async fn tonic_method(ending: Ending) {
    struct Server {
        probe: Arc<Probe>,
        ending: Ending,
    }

    #[tonic::async_trait]
    impl Account for Server {
        #[global_transactional]
        async fn debit(
            &self,
            request: Request<DebitRequest>,
        ) -> Result<Response<DebitReply>, Status> {
            self.probe.touch(&request.into_inner().user).await?;
            if self.ending.fails() {
                return Err(Status::failed_precondition("no money"));
            }
            Ok(Response::new(DebitReply::default()))
        }
    }

    let world = World::start().await;
    let runtime = world.runtime.clone();
    let server = Server {
        probe: world.probe.clone(),
        ending,
    };
    let call = async move {
        let task = tokio::spawn(async move {
            let request = DebitRequest {
                user: "ann".to_owned(),
                ..DebitRequest::default()
            };
            runtime.scope(server.debit(Request::new(request))).await
        });
        task.await.expect("the task ends")
    };
    ending.of(&world, call).await;
}

pub(crate) async fn written_by_a_macro(ending: Ending) {
    macro_rules! transactional {
        ($(#[$meta:meta])* $name:ident($probe:ident: $ty:ty) -> $ok:ty, $word:expr, $body:block) => {
            $(#[$meta])*
            #[global_transactional(name = $word, timeout = "30s")]
            async fn $name($probe: $ty, ending: Ending) -> Result<$ok, Failure> {
                $probe.touch($word).await?;
                let value = $body;
                ending.with(value)
            }
        };
    }

    transactional! {
        /// Written by a macro.
        shape(probe: &Probe) -> u8, "fragment", {
            let length = probe.touch("body").await?;
            u8::try_from(length).unwrap_or(0)
        }
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, ending)).await;
    assert!(value.is_none_or(|value| value == 4));
}
