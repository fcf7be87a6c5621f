//! The line between a shop and its broker: a TCP forwarder that can be cut and mended. Looks at nothing that passes.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line that can be cut.
#[derive(Clone, Debug)]
pub struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Gate {
    /// Opens a line to `broker`, on a port of its own.
    pub async fn to(broker: SocketAddr) -> std::io::Result<Gate> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let gate = Gate { address: listener.local_addr()?, open: watch::Sender::new(true) };
        let open = gate.open.subscribe();
        tokio::spawn(async move {
            while let Ok((agent, _)) = listener.accept().await {
                tokio::spawn(forward(agent, broker, open.clone()));
            }
        });
        Ok(gate)
    }

    /// Where the agent finds it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes from now on, and what stands breaks.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// The line is whole again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn forward(mut agent: TcpStream, broker: SocketAddr, mut open: watch::Receiver<bool>) {
    if !*open.borrow() {
        return;
    }
    let Ok(mut onward) = TcpStream::connect(broker).await else { return };
    let _ = agent.set_nodelay(true).and(onward.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut agent, &mut onward) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}
