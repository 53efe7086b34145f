//! Scenes 7 and 8: the network between order and account misbehaves.

use super::scene::{Ending, Scene, answered, say};
use crate::Failure;

pub(super) async fn twice(mut scene: Scene<'_>) -> Result<bool, Failure> {
    scene.order()?.hold("deliver-twice").await?;
    let sent = scene.send()?;
    scene.order()?.reached("deliver-twice").await?;
    say("repeated", "the debit, under the same call id");
    let answers = scene.order()?.told("deliver-twice").await?;
    say("", answers);
    let answer = answered(sent).await?;
    scene.order()?.release("deliver-twice").await?;
    scene.close(&answer, Ending::Committed).await
}

pub(super) async fn late(mut scene: Scene<'_>) -> Result<bool, Failure> {
    scene.order()?.hold("deliver-late").await?;
    let sent = scene.send()?;
    scene.order()?.reached("deliver-late").await?;
    say(
        "kept back",
        "the debit, answered UNAVAILABLE by the network itself",
    );
    let answer = answered(sent).await?;
    let xid = scene.xid().await?.parse()?;
    scene.settle(&xid).await?;
    scene.observe("undone").await?;
    scene.order()?.release("deliver-late").await?;
    let refusal = scene.order()?.told("deliver-late").await?;
    say("delivered", format!("the debit, too late: {refusal}"));
    scene.demand(refusal != "accepted", "the late try is refused");
    scene.close(&answer, Ending::RolledBack).await
}
