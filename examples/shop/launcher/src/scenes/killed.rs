//! Scenes 4 to 6: processes are killed while the order is paused after its calls.

use super::scene::{Ending, Scene};
use crate::Failure;
use crate::shop::Role;

pub(super) async fn account_between_the_phases(mut scene: Scene<'_>) -> Result<bool, Failure> {
    let sent = scene.send_and_pause().await?;
    scene.kill(Role::Account).await?;
    let answer = scene.release(sent).await?;
    scene.show_waiting(Role::Account).await?;
    scene.show_tried(Role::Account).await?;
    scene.observe("decided").await?;
    scene.start(Role::Account).await?;
    scene.close(&answer, Ending::Committed).await
}

pub(super) async fn coordinator_after_the_decision(mut scene: Scene<'_>) -> Result<bool, Failure> {
    let sent = scene.send_and_pause().await?;
    scene.kill(Role::Account).await?;
    scene.kill(Role::Storage).await?;
    let answer = scene.release(sent).await?;
    scene.kill(Role::Coordinator).await?;
    scene.show_tried(Role::Storage).await?;
    scene.show_tried(Role::Account).await?;
    scene.observe("decided").await?;
    for role in [Role::Coordinator, Role::Storage, Role::Account] {
        scene.start(role).await?;
    }
    scene.close(&answer, Ending::Committed).await
}

pub(super) async fn coordinator_before_the_decision(mut scene: Scene<'_>) -> Result<bool, Failure> {
    let sent = scene.send_and_pause().await?;
    scene.kill(Role::Coordinator).await?;
    scene.start(Role::Coordinator).await?;
    let answer = scene.release(sent).await?;
    scene.close(&answer, Ending::RolledBack).await
}
