use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use futures_util::future::BoxFuture;
use http::Response;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;
use unanimous_protocol::header::AnswerHeader;

use super::incoming::{self, Refusal};
use super::outgoing::error_status;
use crate::context::{Ambient, Entered, Scope};
use crate::global::calls::Ending;
use crate::runtime::Runtime;

/// Lets the handlers of an axum router or a tonic server take part in the transactions that their
/// requests carry.
///
/// ```
/// use unanimous::carry::ServerLayer;
/// # use axum::{body::Body, http::Request};
/// # use tower_service::Service as _;
/// # use unanimous::Runtime;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
///
/// let app = axum::Router::new()
///     .route("/orders", axum::routing::post(async || "ordered"))
///     .layer(ServerLayer::new(&runtime));
/// # let mut app = app;
/// # let answer = app.call(Request::post("/orders").body(Body::empty())?).await?;
/// # assert_eq!(answer.status(), 200);
/// # Ok(())
/// # }
/// ```
///
/// On a tonic server it is `Server::builder().layer(ServerLayer::new(&runtime))`. The
/// [module](crate::carry) shows a whole service.
///
/// * A request without transaction runs with this runtime as its default and in no transaction.
/// * What begins in its handler belongs to the trace of its `traceparent` header, and phase two of
///   each branch, wherever it runs, says so in the field `traceparent` of its span. A header that
///   W3C's specification calls malformed is ignored.
/// * A request with malformed headers is refused before any effect (400, `INVALID_ARGUMENT`), one
///   without time left as well (504, `DEADLINE_EXCEEDED`); a handler whose time runs out is dropped
///   and answered the same.
/// * Any other is answered with the branches that succeeded in its handler and below, or with the
///   mark. The handler ended in an error if its status is at least 400 or its response head has a
///   `grpc-status` other than 0.
/// * Where two of these layers lie around a handler, the outer one does all of this alone.
/// * A handler that panics, or that is dropped because its client went away, sends no header: the
///   caller's call has failed.
#[derive(Clone, Debug)]
pub struct ServerLayer {
    runtime: Runtime,
}

impl ServerLayer {
    /// A layer whose handlers take part through this runtime.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            runtime: runtime.clone(),
        }
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = Served<S>;

    fn layer(&self, inner: S) -> Served<S> {
        Served {
            inner,
            runtime: self.runtime.clone(),
        }
    }
}

/// A service that takes part in the transactions of its requests: what [`ServerLayer`] makes of it.
#[derive(Clone, Debug)]
pub struct Served<S> {
    inner: S,
    runtime: Runtime,
}

impl<S, B, R> Service<http::Request<B>> for Served<S>
where
    S: Service<http::Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ServedFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let is_grpc = incoming::expects_grpc(request.headers());
        let carried = incoming::carried(request.headers());
        if let Ok(Some(call)) = &carried
            && Scope::current().is_some_and(|scope| scope.is_within(&call.xid, &call.call))
        {
            // Another of these layers is around this one: its scope answers for the handler. A
            // second one would lose to it what is named here, and the mark.
            return ServedFuture::unjudged(self.inner.call(request));
        }
        let scope = carried.and_then(|call| {
            let scope = |call| incoming::scope(&self.runtime, call, request.headers());
            call.map(scope).transpose()
        });
        let scope = match scope {
            Ok(scope) => scope,
            Err(refusal) => return ServedFuture::refused(refusal, is_grpc),
        };
        let ambient = match &scope {
            Some(scope) => Ambient::with_scope(scope.clone()),
            None => Ambient::with_runtime(self.runtime.clone()),
        };
        let mut ambient = ambient.traced(incoming::trace(request.headers()));
        let handler = ambient.within(|| self.inner.call(request));
        let deadline = scope.as_ref().map(|scope| Deadline(sleep(scope)));
        let state = State::Running {
            handler: Some(ambient.enter(handler)),
            deadline,
        };
        ServedFuture {
            state,
            scope,
            is_grpc,
        }
    }
}

fn sleep(scope: &Scope) -> BoxFuture<'static, ()> {
    scope.runtime().clock().sleep_until(scope.deadline())
}

pin_project! {
    /// The future of a [`Served`] request.
    #[derive(Debug)]
    pub struct ServedFuture<F: Future, R> {
        #[pin]
        state: State<F, R>,
        // None for a request that carries no transaction.
        scope: Option<Scope>,
        is_grpc: bool,
    }
}

pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum State<F: Future, R> {
        Refused { refusal: Refusal },
        Running {
            #[pin]
            handler: Option<Entered<F>>,
            deadline: Option<Deadline>,
        },
        // The handler ended with success: tasks that it spawned into the transaction are awaited
        // before its response head.
        Joining { response: Option<Response<R>>, joined: Deadline },
        Done,
    }
}

/// A wait whose future prints nothing.
struct Deadline(BoxFuture<'static, ()>);

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deadline")
    }
}

impl<F: Future, R> ServedFuture<F, R> {
    /// Runs in what surrounds it, which judges it.
    fn unjudged(handler: F) -> Self {
        let state = State::Running {
            handler: Some(Ambient::current().enter(handler)),
            deadline: None,
        };
        Self {
            state,
            scope: None,
            is_grpc: false,
        }
    }

    fn refused(refusal: Refusal, is_grpc: bool) -> Self {
        Self {
            state: State::Refused { refusal },
            scope: None,
            is_grpc,
        }
    }
}

impl<F, R, E> Future for ServedFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                Projected::Refused { refusal } => {
                    tracing::warn!(?refusal, "a request was refused before its handler ran");
                    let response = refusal.response(*this.is_grpc);
                    this.state.set(State::Done);
                    return Poll::Ready(Ok(response));
                }
                Projected::Running {
                    mut handler,
                    deadline,
                } => {
                    // Gone only once this future has completed.
                    let Some(running) = handler.as_mut().as_pin_mut() else {
                        return Poll::Pending;
                    };
                    if let Poll::Ready(result) = running.poll(cx) {
                        handler.set(None);
                        ended(result, this.scope.as_ref())
                    } else {
                        let Some(Deadline(deadline)) = deadline else {
                            return Poll::Pending;
                        };
                        ready!(deadline.as_mut().poll(cx));
                        // Dropped inside its context, before anybody is told.
                        handler.set(None);
                        Next::State(State::Refused {
                            refusal: Refusal::NoTimeLeft,
                        })
                    }
                }
                Projected::Joining {
                    response,
                    joined: Deadline(joined),
                } => {
                    ready!(joined.as_mut().poll(cx));
                    // Taken once: the state changes with it.
                    let Some(response) = response.take() else {
                        return Poll::Pending;
                    };
                    Next::Answer(Ok(response))
                }
                Projected::Done => return Poll::Pending,
            };
            match next {
                Next::State(state) => this.state.set(state),
                Next::Answer(mut result) => {
                    if let (Some(scope), Ok(response)) = (this.scope.as_ref(), &mut result) {
                        let answer = judged(scope, response);
                        incoming::answer(response, &answer);
                    }
                    this.state.set(State::Done);
                    return Poll::Ready(result);
                }
            }
        }
    }
}

enum Next<F: Future, R, E> {
    State(State<F, R>),
    Answer(Result<Response<R>, E>),
}

/// With `Ok` the tasks that the handler spawned are awaited; with an error nobody waits.
fn ended<F, R, E>(result: Result<Response<R>, E>, scope: Option<&Scope>) -> Next<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    match (result, scope) {
        (Ok(response), Some(scope))
            if scope.has_spawned()
                && error_status(response.status(), response.headers()).is_none() =>
        {
            let scope = scope.clone();
            let joined = Deadline(Box::pin(async move { scope.join_spawned().await }));
            Next::State(State::Joining {
                response: Some(response),
                joined,
            })
        }
        (result, _) => Next::Answer(result),
    }
}

/// What the scope of a handler answers, by the status that the handler answered.
fn judged<R>(scope: &Scope, response: &Response<R>) -> AnswerHeader {
    let ending = match error_status(response.status(), response.headers()) {
        None => Ending::Ok,
        Some(_) => Ending::Status,
    };
    scope.end(ending)
}
