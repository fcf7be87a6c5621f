//! The desk's roads: forms for people, JSON for programs. What is typed is looked at for card numbers before anything else
//! reads it; an address never carries it, and no answer repeats what was refused. Only pages of our own may send a form.

use super::pages::{self, Frame, complaint};
use super::papers::answer;
use super::routes::{Pages, Visit};
use crate::complaint::desk::{Looked, Search};
use crate::complaint::matching::{Agreement, Source};
use crate::complaint::record::Complaint;
use crate::complaint::said::{Refusal, Typed};
use crate::complaint::words;
use crate::edge::store::complaint::{Clerk, DeskError, Which};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, FromRequestParts, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use slipwatch_shared::times::EventTime;
use std::sync::{Arc, Mutex};

/// Largest form, in bytes; a form with every field full is smaller.
pub const FORM_BYTES_MAX: usize = 16 * 1024;

/// The highest number of a complaint that an address may name.
const NUMBER_MAX: u64 = 999_999_999;

/// The desk, shared by all who ask.
pub type SharedClerk = Arc<Mutex<Box<dyn Clerk>>>;

/// A form as it comes. A field that is not known is ignored and shown nowhere.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    shop: String,
    time: String,
    slack: String,
    amount: String,
    last_four: String,
    order: String,
    trouble: String,
    note: String,
    contact: String,
    language: String,
    received: String,
    source: String,
    kept: String,
}

impl Sent {
    fn typed(self) -> Typed {
        Typed {
            shop: self.shop,
            time: self.time,
            slack: self.slack,
            amount: self.amount,
            last_four: self.last_four,
            order: self.order,
            trouble: self.trouble,
            note: self.note,
            contact: self.contact,
            language: self.language,
            received: self.received,
        }
    }
}

/// A form of our pages.
struct Filled(Sent);

impl FromRequest<Pages> for Filled {
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Pages) -> Result<Filled, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, pages).await;
        let form = Form::from_request(Request::from_parts(parts, body), pages).await;
        match form {
            Ok(Form(sent)) => Ok(Filled(sent)),
            Err(_) => Err(not_a_form(&visit.at("/complaints".to_owned()))),
        }
    }
}

/// A body that is no form, or too large: says nothing of what it holds.
fn not_a_form(frame: &Frame) -> Response {
    let language = frame.language;
    let text = language
        .say("表单读不出，或太大。", "This is no form that can be read, or it is too large.");
    let title = language.say("没有办到", "It was not done");
    (StatusCode::BAD_REQUEST, Html(pages::message(frame, title, text))).into_response()
}

/// The same, as programs send it. A form of a foreign page cannot carry this type.
struct FilledJson(Sent);

impl FromRequest<Pages> for FilledJson {
    type Rejection = Response;

    /// What cannot be read is not repeated.
    async fn from_request(request: Request, pages: &Pages) -> Result<FilledJson, Response> {
        let no_json =
            |status: StatusCode, text| (status, Json(json!({ "error": text }))).into_response();
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim().starts_with("application/json")) {
            return Err(no_json(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json"));
        }
        let body =
            Bytes::from_request(request, pages).await.map_err(IntoResponse::into_response)?;
        let sent = serde_json::from_slice(&body).map_err(|_| {
            no_json(StatusCode::BAD_REQUEST, "expected an object whose fields are texts")
        })?;
        Ok(FilledJson(sent))
    }
}

pub(super) fn router() -> Router<Pages> {
    Router::new()
        .route("/complaints", get(list).post(open))
        .route("/complaints/search", get(to_list).post(search))
        .route("/complaints/{number}", get(one))
        .route("/complaints/{number}/choose", post(choose))
        .route("/complaints/{number}/answer", post(give))
        .route("/complaints/{number}/close", post(close))
        .route("/complaints/{number}/answer.html", get(sheet))
        .route("/complaints/{number}/answer.pdf", get(document))
        .route("/api/complaints", get(api_list).post(api_open))
        .route("/api/complaints/search", post(api_search))
        .route("/api/complaints/{number}", get(api_one))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

impl Pages {
    /// Asks the desk on a thread that may block, and renders there, too.
    async fn ask<F>(&self, work: F) -> Response
    where
        F: FnOnce(&mut dyn Clerk) -> Response + Send + 'static,
    {
        let clerk = Arc::clone(&self.clerk);
        let asked = tokio::task::spawn_blocking(move || {
            let mut clerk = clerk.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            work(&mut **clerk)
        });
        asked.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }

    fn writes(&self) -> Result<(), DeskError> {
        if self.takes_forms() { Ok(()) } else { Err(DeskError::ReadOnly) }
    }
}

fn status_of(error: &DeskError) -> StatusCode {
    match error {
        DeskError::Refused(Refusal::TooLong(..)) => StatusCode::PAYLOAD_TOO_LARGE,
        DeskError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        DeskError::Unknown(_) | DeskError::NoPayment => StatusCode::NOT_FOUND,
        DeskError::Closed(_) => StatusCode::CONFLICT,
        DeskError::ReadOnly => StatusCode::FORBIDDEN,
        DeskError::TooMany => StatusCode::INSUFFICIENT_STORAGE,
        DeskError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn told(frame: &Frame, error: &DeskError) -> String {
    let language = frame.language;
    match error {
        DeskError::Refused(refusal) => words::refusal(language, refusal),
        DeskError::Unknown(number) => language
            .say(format!("没有投诉 {number} 号。"), format!("There is no complaint {number}.")),
        DeskError::Closed(_) => language.say(
            "这个投诉已经关闭，请另外登记一个。".to_owned(),
            "This complaint is closed; open another one.".to_owned(),
        ),
        DeskError::NoPayment => {
            language.say("没有这笔交易。".to_owned(), "There is no such payment.".to_owned())
        }
        DeskError::TooMany => language.say(
            "未结投诉太多，请先关闭一些。".to_owned(),
            "Too many complaints are open; close some first.".to_owned(),
        ),
        DeskError::ReadOnly => language.say(
            "设置中不允许在页面上登记投诉。".to_owned(),
            "The settings do not let pages write complaints.".to_owned(),
        ),
        DeskError::Store(error) => {
            tracing::warn!(%error, "the complaint desk could not use its store");
            language.say(
                "暂时无法读写，请稍后再试。".to_owned(),
                "The store does not answer; try again soon.".to_owned(),
            )
        }
    }
}

fn failed(frame: &Frame, error: &DeskError) -> Response {
    let title = frame.language.say("没有办到", "It was not done");
    (status_of(error), Html(pages::message(frame, title, &told(frame, error)))).into_response()
}

/// Counts a form that was not taken; what may be shown of it again.
fn refused(clerk: &mut dyn Clerk, error: &DeskError, typed: Typed) -> Typed {
    match error {
        DeskError::Refused(refusal) => {
            clerk.refused(refusal);
            // A card number may stand in any field: none of them is shown again.
            let is_safe = !matches!(refusal, Refusal::CardNumber(_) | Refusal::TooLong(..));
            if is_safe { typed } else { Typed::default() }
        }
        _ => typed,
    }
}

async fn to_list() -> Redirect {
    Redirect::to("/complaints")
}

async fn list(State(pages): State<Pages>, visit: Visit) -> Response {
    let all = visit.wanted.all.is_some();
    let here = if all { "/complaints?all=1" } else { "/complaints" };
    let frame = visit.at(here.to_owned());
    let which = if all { Which::All } else { Which::Open };
    pages
        .ask(move |clerk| match clerk.list(which) {
            Ok(open) => {
                let page = complaint::form(&frame, &Typed::default(), None, None, &open, all);
                Html(page).into_response()
            }
            Err(error) => failed(&frame, &error),
        })
        .await
}

async fn search(State(pages): State<Pages>, visit: Visit, Filled(sent): Filled) -> Response {
    let frame = visit.at("/complaints".to_owned());
    pages
        .ask(move |clerk| {
            let typed = sent.typed();
            match clerk.search(&typed) {
                Ok(found) => {
                    let open = clerk.list(Which::Open).unwrap_or_default();
                    let page = complaint::form(&frame, &typed, None, Some(&found), &open, false);
                    Html(page).into_response()
                }
                Err(error) => form_again(clerk, &frame, &error, typed),
            }
        })
        .await
}

/// The form with what was typed, as far as it may be shown, and why it was not taken.
fn form_again(clerk: &mut dyn Clerk, frame: &Frame, error: &DeskError, typed: Typed) -> Response {
    let typed = refused(clerk, error, typed);
    let open = clerk.list(Which::Open).unwrap_or_default();
    let told = told(frame, error);
    let page = complaint::form(frame, &typed, Some(&told), None, &open, false);
    (status_of(error), Html(page)).into_response()
}

fn to_one(frame: &Frame, number: u64) -> Response {
    Redirect::to(&format!("/complaints/{number}?lang={}", frame.language.tag())).into_response()
}

async fn open(State(pages): State<Pages>, visit: Visit, Filled(sent): Filled) -> Response {
    let frame = visit.at("/complaints".to_owned());
    let may_write = pages.writes();
    pages
        .ask(move |clerk| {
            let source = complaint::source_from(&sent.source);
            let typed = sent.typed();
            match may_write.and_then(|()| clerk.open(&typed, source)) {
                Ok(looked) => to_one(&frame, looked.complaint.number),
                Err(error) => form_again(clerk, &frame, &error, typed),
            }
        })
        .await
}

/// What is shown of one complaint.
async fn show<F>(pages: Pages, number: String, visit: Visit, render: F) -> Response
where
    F: FnOnce(Frame, &Looked) -> Response + Send + 'static,
{
    let number = number_of(&number);
    let frame = visit.at(format!("/complaints/{number}"));
    pages
        .ask(move |clerk| match clerk.look(number) {
            Ok(looked) => render(frame, &looked),
            Err(error) => failed(&frame, &error),
        })
        .await
}

async fn one(State(pages): State<Pages>, Path(number): Path<String>, visit: Visit) -> Response {
    show(pages, number, visit, |frame, looked| {
        Html(complaint::one(&frame, looked, None)).into_response()
    })
    .await
}

/// A complaint's number; 0, which none has, for anything else. What is longer is not read, so that it is not shown.
fn number_of(text: &str) -> u64 {
    text.parse::<u64>().ok().filter(|number| *number <= NUMBER_MAX).unwrap_or(0)
}

/// A change of one complaint that a person asked for.
async fn change<F>(pages: Pages, number: String, visit: Visit, work: F) -> Response
where
    F: FnOnce(&mut dyn Clerk, u64) -> Result<Looked, DeskError> + Send + 'static,
{
    let number = number_of(&number);
    let frame = visit.at(format!("/complaints/{number}"));
    let may_write = pages.writes();
    pages
        .ask(move |clerk| match may_write.and_then(|()| work(clerk, number)) {
            Ok(looked) => to_one(&frame, looked.complaint.number),
            Err(error) => failed(&frame, &error),
        })
        .await
}

async fn choose(
    State(pages): State<Pages>,
    Path(number): Path<String>,
    visit: Visit,
    Filled(sent): Filled,
) -> Response {
    change(pages, number, visit, move |clerk, number| {
        let source = complaint::source_from(&sent.source);
        // An empty one takes the choice back; one that is none is not taken for that.
        if source.is_none() && !sent.source.is_empty() {
            return Err(DeskError::NoPayment);
        }
        clerk.choose(number, source)
    })
    .await
}

async fn give(State(pages): State<Pages>, Path(number): Path<String>, visit: Visit) -> Response {
    change(pages, number, visit, |clerk, number| clerk.answer(number)).await
}

async fn close(
    State(pages): State<Pages>,
    Path(number): Path<String>,
    visit: Visit,
    Filled(sent): Filled,
) -> Response {
    change(pages, number, visit, move |clerk, number| clerk.close(number, sent.kept == "1")).await
}

/// The answer that was given, or the one that would be given now.
fn answer_of(looked: &Looked, now_ms: i64) -> (crate::complaint::answer::Answer, EventTime) {
    let given = looked.complaint.given.map(|given| (given.answer, given.at));
    given.unwrap_or((looked.answer, EventTime(now_ms)))
}

/// What the shopper takes along is in the shopper's language, unless another one was asked for.
fn in_their_language(frame: Frame, their_own: bool, looked: &Looked) -> Frame {
    match their_own {
        true => Frame { language: looked.complaint.said.language, ..frame },
        false => frame,
    }
}

async fn sheet(State(pages): State<Pages>, Path(number): Path<String>, visit: Visit) -> Response {
    let their_own = visit.wanted.lang.is_none();
    show(pages, number, visit, move |frame, looked| {
        let frame = in_their_language(frame, their_own, looked);
        let (answer, at) = answer_of(looked, frame.now_ms);
        Html(complaint::sheet(&frame, looked, &answer, at)).into_response()
    })
    .await
}

async fn document(
    State(pages): State<Pages>,
    Path(number): Path<String>,
    visit: Visit,
) -> Response {
    let their_own = visit.wanted.lang.is_none();
    show(pages, number, visit, move |frame, looked| {
        let frame = in_their_language(frame, their_own, looked);
        let (answer, at) = answer_of(looked, frame.now_ms);
        match answer::document(&frame, looked, &answer, at) {
            Ok(bytes) => {
                let name = format!("inline; filename=\"answer-{}.pdf\"", looked.complaint.number);
                let headers = [
                    (header::CONTENT_TYPE, "application/pdf".to_owned()),
                    (header::CONTENT_DISPOSITION, name),
                ];
                (headers, bytes).into_response()
            }
            Err(error) => {
                tracing::error!(?error, "an answer could not be written as a document");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    })
    .await
}

// ---- for programs ----

fn api_failed(error: &DeskError) -> Response {
    if let DeskError::Store(error) = error {
        tracing::warn!(%error, "the complaint desk could not use its store");
    }
    (status_of(error), Json(json!({ "error": error.to_string() }))).into_response()
}

fn api_refused(clerk: &mut dyn Clerk, error: &DeskError) -> Response {
    refused(clerk, error, Typed::default());
    api_failed(error)
}

async fn api_search(State(pages): State<Pages>, FilledJson(sent): FilledJson) -> Response {
    let typed = sent.typed();
    pages
        .ask(move |clerk| match clerk.search(&typed) {
            Ok(found) => Json(search_json(&found)).into_response(),
            Err(error) => api_refused(clerk, &error),
        })
        .await
}

async fn api_open(State(pages): State<Pages>, FilledJson(sent): FilledJson) -> Response {
    let may_write = pages.writes();
    pages
        .ask(move |clerk| {
            let source = complaint::source_from(&sent.source);
            let typed = sent.typed();
            match may_write.and_then(|()| clerk.open(&typed, source)) {
                Ok(looked) => (StatusCode::CREATED, Json(looked_json(&looked))).into_response(),
                Err(error) => api_refused(clerk, &error),
            }
        })
        .await
}

async fn api_list(State(pages): State<Pages>, visit: Visit) -> Response {
    let which = if visit.wanted.all.is_some() { Which::All } else { Which::Open };
    pages
        .ask(move |clerk| match clerk.list(which) {
            Ok(found) => {
                let all: Vec<Value> = found.iter().map(looked_json).collect();
                Json(Value::Array(all)).into_response()
            }
            Err(error) => api_failed(&error),
        })
        .await
}

async fn api_one(State(pages): State<Pages>, Path(number): Path<String>) -> Response {
    let number = number_of(&number);
    pages
        .ask(move |clerk| match clerk.look(number) {
            Ok(looked) => Json(looked_json(&looked)).into_response(),
            Err(error) => api_failed(&error),
        })
        .await
}

fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

fn answer_json(answer: &crate::complaint::answer::Answer) -> Value {
    let promise = answer
        .promise
        .map(|(promise, until)| json!({ "what": promise.label(), "until": time(until.0) }));
    json!({ "outcome": answer.outcome().label(), "reason": answer.reason.label(), "promise": promise })
}

fn source_json(source: &Source) -> Value {
    complaint::source_text(source).into()
}

fn match_json(matched: &crate::complaint::matching::Match) -> Value {
    let candidate = &matched.candidate;
    let whys: Vec<Value> = matched
        .whys
        .iter()
        .map(|why| {
            let (agrees, slip) = match why.agreement {
                Agreement::Same => ("same", None),
                Agreement::But(slip) => ("slip", Some(slip.label())),
                Agreement::Differs => ("differs", None),
            };
            json!({ "what": why.aspect.label(), "agreement": agrees, "slip": slip })
        })
        .collect();
    json!({
        "source": source_json(&candidate.source),
        "level": matched.level.label(),
        "points": matched.points,
        "store": candidate.store.as_ref().map(|store| store.as_str()),
        "terminal": candidate.terminal.map(|terminal| terminal.to_string()),
        "time": candidate.day.map_or_else(|| time(candidate.at.from_ms), |day| day.to_string()),
        "amount": candidate.amount.map(|amount| amount.to_string()),
        "last_four": candidate.last_four.map(|four| format!("{four:04}")),
        "why": whys,
        "also_open": matched.also_open,
    })
}

/// What a search found, as programs read it.
pub fn search_json(found: &Search) -> Value {
    let matches: Vec<Value> = found.matches.iter().map(match_json).collect();
    json!({
        "matches": matches,
        "chosen": found.is_chosen,
        "answer": answer_json(&found.answer),
        "probes": found.probes,
    })
}

/// A complaint, as programs read it. Without the shopper's words and how to reach the shopper.
pub fn looked_json(looked: &Looked) -> Value {
    let complaint: &Complaint = &looked.complaint;
    let history: Vec<Value> = looked
        .history
        .iter()
        .map(|line| json!({ "at": time(line.at.0), "step": line.step.label(), "note": line.note }))
        .collect();
    let given = complaint.given.map(|given| {
        let mut told = answer_json(&given.answer);
        told["at"] = time(given.at.0).into();
        told["kept"] = given.kept.into();
        told
    });
    let due = looked.due.map(|due| json!({ "what": due.kind.label(), "at": time(due.at.0) }));
    json!({
        "complaint": complaint.number,
        "trouble": complaint.said.trouble.label(),
        "store": looked.store().map(|store| store.as_str()),
        "received": time(complaint.received.0),
        "language": complaint.said.language.tag(),
        "chosen": complaint.chosen.as_ref().map(source_json),
        "unmatched": complaint.unmatched.label(),
        "answer": answer_json(&looked.answer),
        "given": given,
        "due": due,
        "overdue": looked.is_overdue,
        "also_open": looked.also_open,
        "closed": complaint.closed.map(|at| time(at.0)),
        "matches": looked.matches.iter().map(match_json).collect::<Vec<_>>(),
        "history": history,
    })
}
