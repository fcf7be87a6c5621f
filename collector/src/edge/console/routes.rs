//! Which page where, in which language, and with which headers.

use super::complaints::{self, SharedClerk};
use super::guard;
use super::pages::{self, Frame, agents, case, statement, statements, today};
use super::papers::evidence;
use super::papers::imported::{self, FINDINGS_MAX, Imported};
use super::upload::{self, Imports, Uploads};
use crate::alert::language::Language;
use crate::alert::telling::Telling;
use crate::config::Config;
use crate::correlate::case::CaseId;
use crate::correlate::policy::AgentName;
use crate::edge::clock;
use crate::edge::store::complaint::Clerk;
use crate::edge::store::exhibit::Exhibit;
use crate::edge::store::settlement::FileId;
use crate::edge::store::{CaseQuery, PAGE_ROWS_MAX, Reader, StoreError};
use crate::metrics::{CONTENT_TYPE, Metrics};
use axum::Router;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use krilla::error::KrillaError;
use serde::{Deserialize, Serialize};
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Settlement files that a page shows.
const STATEMENTS_SHOWN_MAX: usize = 100;

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
    reader: Arc<Mutex<Box<dyn Reader>>>,
    pub(super) clerk: SharedClerk,
    pub(super) config: Arc<RwLock<Arc<Config>>>,
    metrics: Metrics,
    health: Arc<dyn Fn() -> Health + Send + Sync>,
    pub(super) uploads: Arc<Uploads>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    pub(super) lang: Option<String>,
    day: Option<String>,
    pub(super) all: Option<String>,
}

/// Who asks, in which language, and what for: what every page begins with.
pub(super) struct Visit {
    pub(super) frame: Frame,
    pub(super) wanted: Wanted,
}

impl Visit {
    /// The same page under another address, where its own may hold what a person typed.
    pub(super) fn at(self, here: String) -> Frame {
        Frame { here, ..self.frame }
    }
}

impl FromRequestParts<Pages> for Visit {
    type Rejection = Infallible;

    /// A query that cannot be read asks for nothing.
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Visit, Infallible> {
        let wanted = Query::try_from_uri(&parts.uri);
        let wanted: Wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
        Ok(Visit { frame: pages.frame(&parts.headers, &parts.uri, &wanted), wanted })
    }
}

impl Pages {
    /// Pages over a reader of the store, the complaint desk and the settings in force.
    pub fn new(
        reader: Box<dyn Reader>,
        clerk: Box<dyn Clerk>,
        config: Arc<RwLock<Arc<Config>>>,
        metrics: Metrics,
        health: Arc<dyn Fn() -> Health + Send + Sync>,
        imports: Arc<dyn Imports>,
    ) -> Pages {
        let uploads = Arc::new(Uploads::new(imports));
        let (reader, clerk) = (Arc::new(Mutex::new(reader)), Arc::new(Mutex::new(clerk)));
        Pages { reader, clerk, config, metrics, health, uploads }
    }

    fn frame(&self, headers: &HeaderMap, uri: &Uri, wanted: &Wanted) -> Frame {
        let config = Arc::clone(&self.config.read().expect("no holder of this lock panics"));
        let asked = wanted.lang.as_deref().and_then(|tag| tag.parse().ok());
        let liked = || {
            let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Language::wanted(header)
        };
        let language = asked.or_else(liked).unwrap_or_default();
        Frame { language, config, now_ms: clock::now().0, here: without_language(uri) }
    }

    /// Whether anything may be written from pages.
    pub(super) fn takes_forms(&self) -> bool {
        self.config.read().expect("no holder of this lock panics").http.forms
    }

    /// Makes a file of one payment's evidence.
    async fn evidence<F>(
        &self,
        frame: Frame,
        id: String,
        kind: &'static str,
        end: &'static str,
        make: F,
    ) -> Response
    where
        F: FnOnce(&Exhibit, &Frame) -> Result<Vec<u8>, KrillaError> + Send + 'static,
    {
        self.read(frame, move |frame, reader| {
            let id: Result<CaseId, _> = id.parse();
            let exhibit = match &id {
                Ok(id) => reader.exhibit(id)?,
                Err(_) => None,
            };
            let (Some(exhibit), Ok(id)) = (exhibit, id) else {
                return Ok(Rendered::Missing(missing(frame)));
            };
            Ok(match make(&exhibit, frame) {
                Ok(bytes) => Rendered::File { bytes, kind, name: format!("evidence-{id}.{end}") },
                Err(error) => Rendered::Refused(format!("{error:?}")),
            })
        })
        .await
    }

    /// Reads on a thread that may block, and renders there, too. A store that does not answer is told as a page.
    async fn read<F>(&self, frame: Frame, render: F) -> Response
    where
        F: FnOnce(&Frame, &mut dyn Reader) -> Result<Rendered, StoreError> + Send + 'static,
    {
        let reader = Arc::clone(&self.reader);
        let rendered = tokio::task::spawn_blocking(move || {
            // A page that panicked left a reader without a transaction: it can go on.
            let mut reader = reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            (render(&frame, &mut **reader), frame)
        });
        match rendered.await {
            Ok((Ok(Rendered::Page(page)), _)) => Html(page).into_response(),
            Ok((Ok(Rendered::Missing(page)), _)) => {
                (StatusCode::NOT_FOUND, Html(page)).into_response()
            }
            Ok((Ok(Rendered::File { bytes, kind, name }), _)) => {
                let disposition = format!("attachment; filename=\"{name}\"");
                let headers = [
                    (header::CONTENT_TYPE, kind.to_owned()),
                    (header::CONTENT_DISPOSITION, disposition),
                ];
                (headers, bytes).into_response()
            }
            Ok((Ok(Rendered::Refused(what)), _)) => {
                tracing::error!(what, "a document could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Ok((Err(error), frame)) => {
                self.metrics.store.failed(error.label());
                tracing::warn!(%error, "a page could not be read from the store");
                (StatusCode::SERVICE_UNAVAILABLE, Html(unreadable(&frame))).into_response()
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

enum Rendered {
    Page(String),
    Missing(String),
    File { bytes: Vec<u8>, kind: &'static str, name: String },
    Refused(String),
}

fn without_language(uri: &Uri) -> String {
    let shows_card = |text: &str| crate::admit::card::has_card_number(text.as_bytes());
    // An address may carry anything; a link repeats no card number of it.
    if shows_card(uri.path()) {
        return "/".to_owned();
    }
    let kept = |part: &&str| !part.starts_with("lang=") && !part.is_empty() && !shows_card(part);
    let query: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(kept).collect();
    match query.is_empty() {
        true => uri.path().to_owned(),
        false => format!("{}?{}", uri.path(), query.join("&")),
    }
}

/// Serves until the flag is set.
pub async fn serve(listener: TcpListener, pages: Pages, mut stopping: watch::Receiver<bool>) {
    let stop = async move {
        let _ = stopping.wait_for(|&stop| stop).await;
    };
    let served = axum::serve(listener, router(pages)).with_graceful_shutdown(stop);
    if let Err(error) = served.await {
        tracing::error!(%error, "pages and metrics ended");
    }
}

fn router(pages: Pages) -> Router {
    Router::new()
        .route("/", get(show_today))
        .route("/case/{id}", get(show_case))
        .route("/case/{id}/evidence.pdf", get(evidence_document))
        .route("/case/{id}/evidence.zip", get(evidence_archive))
        .route("/agents", get(show_agents))
        .route("/statements", get(show_statements))
        .route("/statement/{file}", get(show_statement))
        .route("/statement/{file}/summary.pdf", get(import_summary))
        .merge(upload::router())
        .merge(complaints::router())
        .route("/style.css", get(style))
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .fallback(nothing)
        .layer(middleware::from_fn(guard::own_pages_only))
        .layer(middleware::from_fn(guard::headers))
        .with_state(pages)
}

/// The bounds of a day by a clock, in UTC milliseconds.
fn bounds(day: Date, zone: &TimeZone) -> Option<(i64, i64)> {
    let start = |day: Date| {
        let midnight = day.at(0, 0, 0, 0).to_zoned_datetime(zone.clone()).ok()?;
        Some(midnight.timestamp().as_millisecond())
    };
    Some((start(day)?, start(day.checked_add(1.day()).ok()?)?))
}

async fn show_today(State(pages): State<Pages>, visit: Visit) -> Response {
    let Visit { frame, wanted } = visit;
    let zone = frame.config.shops.first().map_or(TimeZone::UTC, |shop| shop.time_zone.clone());
    let now = clock::timestamp().to_zoned_datetime(zone.clone()).date();
    let asked: Option<Date> = wanted.day.as_deref().and_then(|day| day.parse().ok());
    let day = asked.unwrap_or(now);
    let beside = |days: i64| day.checked_add(days.days()).unwrap_or(day).to_string();
    let Some((from, until)) = bounds(day, &zone) else {
        return (StatusCode::BAD_REQUEST, Html(missing(&frame))).into_response();
    };
    let neighbours = (beside(-1), (day < now).then(|| beside(1)));
    let all = wanted.all.is_some();
    pages
        .read(frame, move |frame, reader| {
            let cases = reader.cases(&CaseQuery {
                since: Some(EventTime(from)),
                before: Some(EventTime(until)),
                ..CaseQuery::default()
            })?;
            let open = match day == now {
                true => reader.findings(ArrivalTime(0), true, PAGE_ROWS_MAX)?,
                false => Vec::new(),
            };
            let cut_off = cases.len() >= PAGE_ROWS_MAX;
            let cool_down_ms = frame.config.mail.as_ref().map_or(0, |mail| mail.cool_down_ms);
            let telling = match open.is_empty() {
                true => Telling::default(),
                false => Telling::read(&reader.alert_state()?.unwrap_or_default(), cool_down_ms),
            };
            let day = day.to_string();
            let today = today::Today { day, neighbours, cases, cut_off, open, telling, all };
            Ok(Rendered::Page(today::render(frame, &today)))
        })
        .await
}

async fn show_case(State(pages): State<Pages>, Path(id): Path<String>, visit: Visit) -> Response {
    let frame = visit.frame;
    let id: Result<CaseId, _> = id.parse();
    pages
        .read(frame, move |frame, reader| {
            let file = match &id {
                Ok(id) => reader.case(id)?,
                Err(_) => None,
            };
            let Some(file) = file else {
                return Ok(Rendered::Missing(missing(frame)));
            };
            let agents = reader.agents()?;
            let agent = agents.iter().find(|agent| agent.name == file.view.id.agent);
            Ok(Rendered::Page(case::render(frame, &file, agent)))
        })
        .await
}

async fn evidence_document(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    let frame = visit.frame;
    let make = |exhibit: &Exhibit, frame: &Frame| evidence::document(frame, exhibit);
    pages.evidence(frame, id, "application/pdf", "pdf", make).await
}

async fn evidence_archive(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    let frame = visit.frame;
    let make = |exhibit: &Exhibit, frame: &Frame| {
        let in_language = |language| Frame {
            language,
            config: Arc::clone(&frame.config),
            now_ms: frame.now_ms,
            here: String::new(),
        };
        evidence::bundle(exhibit, &Language::ALL.map(in_language))
    };
    pages.evidence(frame, id, "application/zip", "zip", make).await
}

async fn show_agents(State(pages): State<Pages>, visit: Visit) -> Response {
    let frame = visit.frame;
    let quarantined = pages.metrics.quarantined();
    let unknown = pages.metrics.agents.unknown_agents();
    pages
        .read(frame, move |frame, reader| {
            let agents = reader.agents()?;
            let named = frame.config.policies().agents;
            let is_unheard = |name: &AgentName| !agents.iter().any(|agent| agent.name == *name);
            let unheard = named.into_iter().filter(is_unheard).collect();
            let others = agents::Others { unheard, unknown, quarantined };
            Ok(Rendered::Page(agents::render(frame, &agents, &others)))
        })
        .await
}

async fn show_statements(State(pages): State<Pages>, visit: Visit) -> Response {
    let frame = visit.frame;
    let profiles = pages.uploads.profiles();
    pages
        .read(frame, move |frame, reader| {
            let files = reader.statements(STATEMENTS_SHOWN_MAX)?;
            Ok(Rendered::Page(statements::render(frame, &files, &profiles)))
        })
        .await
}

/// A file's number; one that is none names no file.
fn file_of(text: &str) -> FileId {
    FileId(text.parse().unwrap_or(0))
}

async fn show_statement(
    State(pages): State<Pages>,
    Path(file): Path<String>,
    visit: Visit,
) -> Response {
    let frame = visit.frame;
    let file = file_of(&file);
    pages
        .read(frame, move |frame, reader| {
            Ok(match reader.statement(file, FINDINGS_MAX)? {
                Some(view) => Rendered::Page(statement::render(frame, &view)),
                None => Rendered::Missing(missing(frame)),
            })
        })
        .await
}

async fn import_summary(
    State(pages): State<Pages>,
    Path(file): Path<String>,
    visit: Visit,
) -> Response {
    let frame = visit.frame;
    let file = file_of(&file);
    pages
        .read(frame, move |frame, reader| {
            let view = reader.statement(file, FINDINGS_MAX)?;
            let told = view.and_then(|view| Imported::stored(&view.file, view.findings));
            let Some(told) = told else { return Ok(Rendered::Missing(missing(frame))) };
            let kind = "application/pdf";
            Ok(match imported::document(frame, &[told]) {
                Ok(bytes) => Rendered::File { bytes, kind, name: format!("import-{}.pdf", file.0) },
                Err(error) => Rendered::Refused(format!("{error:?}")),
            })
        })
        .await
}

fn unreadable(frame: &Frame) -> String {
    let language = frame.language;
    pages::message(
        frame,
        language.say("暂时看不到", "Not to be seen just now"),
        language.say(
            "数据暂时读不出。终端的记录没有丢失，请稍后再打开本页；一直如此，请查看 slipwatch-collector 的日志。",
            "The store does not answer. Nothing that was heard is lost: open this page again soon. If it stays so, look at \
             the log of slipwatch-collector.",
        ),
    )
}

pub(super) fn missing(frame: &Frame) -> String {
    let language = frame.language;
    pages::message(
        frame,
        language.say("没有这一页", "No such page"),
        language.say(
            "案件可能已超过保存期限，或链接不完整。",
            "The case may be older than is kept, or the link is not whole.",
        ),
    )
}

async fn nothing(visit: Visit) -> Response {
    (StatusCode::NOT_FOUND, Html(missing(&visit.frame))).into_response()
}

async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("style.css")).into_response()
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
