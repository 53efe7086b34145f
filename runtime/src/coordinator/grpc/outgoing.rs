use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use unanimous_protocol::wire::v1;

use super::table::{Epoch, SharedTable};

/// What is sent on one stream. It ends as soon as there is another stream.
pub(super) struct Outgoing {
    shared: SharedTable,
    epoch: Epoch,
}

impl Outgoing {
    pub(super) fn new(shared: SharedTable, epoch: Epoch) -> Self {
        Self { shared, epoch }
    }
}

impl Stream for Outgoing {
    type Item = v1::ClientFrame;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.shared.table.poll_outgoing(self.epoch, cx)
    }
}
