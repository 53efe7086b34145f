// An annotated function that nobody calls is as dead as a plain one.
#![deny(dead_code)]

use unanimous::{Error, global_transactional};

struct Shop;

impl Shop {
    #[global_transactional]
    async fn purchase(&self) -> Result<(), Error> {
        Ok(())
    }

    fn helper(&self) {}
}

fn main() {
    let _ = Shop;
}
