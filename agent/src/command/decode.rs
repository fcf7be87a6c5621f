//! `decode`: what a recorded log says, as JSON lines.

use std::path::PathBuf;

/// Prints what a recorded log says, one event a line, as JSON.
#[derive(Clone, Debug, clap::Args)]
pub struct DecodeArgs {
    /// A shipped profile, see --list.
    #[arg(long, default_value = "kv-en")]
    pub profile: String,
    /// The recorded log.
    pub file: Option<PathBuf>,
}

/// Prints it.
pub fn run(_: &DecodeArgs) -> anyhow::Result<()> {
    anyhow::bail!("decode comes with the text dialects")
}
