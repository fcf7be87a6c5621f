//! Which page where.

use crate::config::Config;
use crate::edge::store::Reader;
use crate::metrics::{CONTENT_TYPE, Metrics};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::sync::{Arc, Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How the collector stands, for load balancers and people.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// The thread that judges moves, and the store takes what it is given.
    pub ok: bool,
    /// The thread that judges moves.
    pub moving: bool,
    /// The store takes what it is given.
    pub storing: bool,
    /// The broker is connected and subscribed to.
    pub broker: bool,
}

/// What the pages stand on.
#[derive(Clone)]
pub struct Pages {
    pub(super) reader: Arc<Mutex<Box<dyn Reader>>>,
    pub(super) config: Arc<RwLock<Arc<Config>>>,
    metrics: Metrics,
    health: Arc<dyn Fn() -> Health + Send + Sync>,
}

impl Pages {
    /// Pages over a reader of the store and the settings in force.
    pub fn new(
        reader: Box<dyn Reader>,
        config: Arc<RwLock<Arc<Config>>>,
        metrics: Metrics,
        health: Arc<dyn Fn() -> Health + Send + Sync>,
    ) -> Pages {
        Pages { reader: Arc::new(Mutex::new(reader)), config, metrics, health }
    }
}

/// Serves until the flag is set.
pub async fn serve(listener: TcpListener, pages: Pages, mut stopping: watch::Receiver<bool>) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .with_state(pages);
    let stop = async move {
        let _ = stopping.wait_for(|&stop| stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "pages and metrics ended");
    }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let text = tokio::task::spawn_blocking(move || pages.metrics.encode()).await;
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn health(State(pages): State<Pages>) -> Response {
    let health = (pages.health)();
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = serde_json::to_string(&health).expect("four flags can be written");
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
