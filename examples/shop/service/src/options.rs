use std::net::SocketAddr;
use std::path::PathBuf;

/// What every service of the shop is told on its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The SQLite file of this service; created where it is missing.
    #[arg(long, value_name = "FILE")]
    pub db: PathBuf,

    /// The coordinator, such as `unanimous://127.0.0.1:7070`; the same for every service.
    #[arg(long, value_name = "URL")]
    pub coordinator: String,

    /// Where to listen; port 0 takes a free one, printed at the start.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Obey pause points named on standard input: for the launcher's scenes.
    #[arg(long)]
    pub pauses: bool,
}
