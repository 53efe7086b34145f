//! Scenes 1 to 3: nothing breaks.

use super::scene::{Ending, Scene, answered};
use crate::Failure;

pub(super) async fn commits(scene: Scene<'_>) -> Result<bool, Failure> {
    let answer = answered(scene.send()?).await?;
    scene.close(&answer, Ending::Committed).await
}

pub(super) async fn refused(scene: Scene<'_>) -> Result<bool, Failure> {
    let answer = answered(scene.send()?).await?;
    scene.close(&answer, Ending::RolledBack).await
}
