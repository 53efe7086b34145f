//! The trace of the caller, by hand.

use unanimous_protocol::message::TraceContext;

use crate::context::Ambient;

/// Runs a future in the trace of this `traceparent` (W3C Trace Context): transactions that begin in
/// it, annotated or by hand, carry it to their branches, whose phase two says so in the field
/// `traceparent` of its span, wherever it runs. So does the work of a message that
/// [`ReceivedCall::attach`](super::ReceivedCall::attach) runs in it. A transaction that surrounds
/// the call keeps its own.
///
/// [`ServerLayer`](super::ServerLayer) does this for requests. What is malformed, or longer than
/// [`TRACE_BYTES_MAX`](crate::protocol::limits::TRACE_BYTES_MAX) bytes, is ignored: what begins
/// then belongs to no trace. Dropping the future drops what it runs.
///
/// ```
/// # use unanimous::{Error, GlobalTransaction, Runtime, carry::traced};
/// # async fn work() -> Result<(), Error> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// let message = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let nightly = GlobalTransaction::named("nightly").runtime(&runtime);
/// traced(message, nightly.run(work())).await?;
/// # Ok(())
/// # }
/// ```
pub async fn traced<F: Future>(traceparent: &str, future: F) -> F::Output {
    let trace = TraceContext::of_traceparent(traceparent);
    Ambient::current().traced(trace).enter(future).await
}
