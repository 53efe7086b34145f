//! The coordinators that come with the framework pass the public conformance suite.

use std::sync::Arc;

use unanimous::coordinator::{Coordinator, conformance};

async fn conforms(url: &str) {
    let runtime = unanimous::Runtime::builder()
        .coordinator(url)
        .build()
        .await
        .expect(url);
    let coordinator: Arc<dyn Coordinator> = runtime.coordinator_value();
    let durable = coordinator.capabilities().durable;
    let report = conformance::check(coordinator).await;
    assert!(report.failures.is_empty(), "{url}: {report}");
    assert!(
        report.passed.len() >= 19 && report.skipped.is_empty(),
        "{url}: {report}"
    );
    assert_eq!(durable, !url.starts_with("memory"));
    runtime.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_coordinator_conforms() {
    conforms("memory:").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_coordinator_conforms() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    conforms(&format!(
        "embedded:{}",
        folder.path().join("unanimous.redb").display()
    ))
    .await;
}
