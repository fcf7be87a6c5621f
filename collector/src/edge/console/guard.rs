//! What holds for every page: which headers it goes out with, and that no foreign page writes here.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing but our own style sheet; no script, no frame, no foreign address.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// What is said to it, in both languages: of whom it came from nothing is known.
const FOREIGN: &str = "这个表单来自其他网站的页面，没有接受。\nThis form was sent by another site's page; it was not taken.\n";

/// Nothing of a page runs, is framed, or is kept by who passes it on.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let cache = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(cache);
    response
}

/// A browser tells whose page sends a form. One that is not ours is not taken: without a login nothing else keeps a
/// foreign page from writing here.
pub(super) async fn own_pages_only(request: Request, next: Next) -> Response {
    let is_foreign = !request.method().is_safe() && is_foreign(request.headers());
    if is_foreign {
        return (StatusCode::FORBIDDEN, FOREIGN).into_response();
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let host = text("host").unwrap_or_default();
    // Behind a proxy the host is what the browser saw, which the proxy hands on.
    let hosts = [Some(host), text("x-forwarded-host")];
    text("origin").is_some_and(|origin| {
        let of_origin = origin.split_once("://").map_or(origin, |parts| parts.1);
        !hosts.into_iter().flatten().any(|host| host == of_origin)
    })
}
