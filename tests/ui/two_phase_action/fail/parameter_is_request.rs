use unanimous::{Error, participant};

struct Request<T>(T);

trait Handler {
    fn debit(&self, request: Request<u8>) -> impl Future<Output = Result<(), Error>> + Send;
}

struct Server;

#[participant(name = "server")]
impl Handler for Server {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, request: Request<u8>) -> Result<(), Error> {
        let _ = request.0;
        Ok(())
    }

    async fn confirm(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Server.debit(Request(1));
}

async fn caller(server: &Server) -> Result<(), Error> {
    server.debit(Request(1)).await
}
