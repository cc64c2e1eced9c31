//! The operations of the Management API as it is described, and what answers those that no slice serves.
//!
//! [`table`] lists every described operation with its scopes. A route that a slice declares always comes first; for
//! the rest the answer is what a fresh tenant has to say (an empty list, 404 for a single object), or 501. A write that
//! is not served is refused by name: nothing is accepted and dropped.

mod table;

use crate::app::App;
use crate::http::{
    ApiResult, ApiRoute, Envelope, Failure, MOST_BY_NUMBER, Page, Query, Slice, State as RouteState, json,
    paging_of_zero,
};
use crate::organizations;
use axum::extract::{RawPathParams, RawQuery, State};
use http::{Method, StatusCode};
use std::sync::LazyLock;
use tenantry_types::schema::{Schema, object};
use tenantry_types::{ApiError, ErrorCode, Scope};

/// An operation as it is described.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) scopes: &'static [Scope],
    answer: Answer,
}

/// What an operation answers where no slice serves it.
#[derive(Clone, Copy)]
enum Answer {
    /// It belongs to a slice; 501 as long as that does not declare it.
    Slice,
    /// 501.
    NotServed,
    /// 404 for whatever is asked for.
    Missing(&'static str, Option<ErrorCode>),
    /// An empty list that pages by number and by checkpoint.
    Paged(&'static str),
    /// An empty list that pages by number and from an object on; totals come with `length`.
    Search(&'static str),
    /// An empty list that pages by checkpoint alone.
    Checkpoint(&'static str),
    /// An empty list that names the size of its pages.
    PerPage(&'static str),
    /// An empty list that names the number and size of its pages, and the total.
    Counted(&'static str),
    /// Always the same.
    Json(&'static str),
    /// The domain that the tenant has without any of its own.
    TenantDomain,
    /// The same of an organization, which has to exist.
    OfOrganization(OfOrganization),
}

/// What an organization has none of.
#[derive(Clone, Copy)]
enum OfOrganization {
    /// A single object: 404.
    Missing(&'static str, Option<ErrorCode>),
    /// An empty list that pages by number and by checkpoint.
    Paged(&'static str),
    /// An empty list that pages by number alone and does not tell a total.
    Numbered(&'static str),
    /// An empty list that pages by checkpoint alone.
    Checkpoint(&'static str),
}

const fn operation(
    method: Method,
    path: &'static str,
    scopes: &'static [Scope],
    answer: Answer,
) -> Operation {
    Operation { method, path, scopes, answer }
}

const fn get(path: &'static str, scopes: &'static [Scope], answer: Answer) -> Operation {
    operation(Method::GET, path, scopes, answer)
}

const fn post(path: &'static str, scopes: &'static [Scope], answer: Answer) -> Operation {
    operation(Method::POST, path, scopes, answer)
}

const fn put(path: &'static str, scopes: &'static [Scope], answer: Answer) -> Operation {
    operation(Method::PUT, path, scopes, answer)
}

const fn patch(path: &'static str, scopes: &'static [Scope], answer: Answer) -> Operation {
    operation(Method::PATCH, path, scopes, answer)
}

const fn delete(path: &'static str, scopes: &'static [Scope], answer: Answer) -> Operation {
    operation(Method::DELETE, path, scopes, answer)
}

/// Every operation of the description.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    table::ALL.iter().copied().flatten()
}

/// The scopes that the description asks for, if it has such an operation.
pub(crate) fn scopes(method: &Method, path: &str) -> Option<&'static [Scope]> {
    all()
        .find(|operation| operation.method == *method && operation.path == path)
        .map(|operation| operation.scopes)
}

/// A path without the names of its parameters: what the router tells paths apart by.
fn shape(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part })
}

/// The operations that are not among `served`.
pub(crate) fn routes<'a>(app: &'a App, served: &[ApiRoute]) -> Slice<'a> {
    let mut slice = Slice::new(app);
    for operation in all() {
        let same_path: Vec<_> =
            served.iter().filter(|route| shape(route.path).eq(shape(operation.path))).collect();
        if same_path.iter().any(|route| route.method == operation.method) {
            continue;
        }
        // One path has one spelling in the router.
        let path = same_path.first().map_or(operation.path, |route| route.path);
        let handler = async move |State(app): State<App>, path: RawPathParams, RawQuery(query): RawQuery| {
            operation.answer(&app, &path, query.as_deref()).await
        };
        slice = slice.add(operation.method.clone(), path, operation.scopes, handler);
        if let Some(route) = slice.routes.last_mut() {
            route.state = match operation.answer {
                Answer::Slice | Answer::NotServed => RouteState::NotServed,
                _ => RouteState::Empty,
            };
        }
    }
    slice
}

static PAGING: LazyLock<Schema> = LazyLock::new(|| object(paging_of_zero()).open());

impl Operation {
    async fn answer(&self, app: &App, path: &RawPathParams, query: Option<&str>) -> ApiResult {
        let ok = |body: String| Ok(json(StatusCode::OK, body));
        // Which filters are asked for makes no difference to an empty list.
        let query = || Query::parse(query, &PAGING);
        match self.answer {
            Answer::Slice | Answer::NotServed => {
                let message = format!("{} {} is not served", self.method, self.path);
                Err(ApiError::new(501, message).into())
            }
            Answer::Missing(message, code) => Err(Failure::missing(message, code)),
            Answer::Paged(name) => {
                let page = Page::of(&query()?, app, None)?;
                page.answer(app, name, async |_| Ok(Vec::new()), async || Ok(0)).await
            }
            Answer::Search(name) => {
                let query = query()?;
                // `from` is the id of an object here, not a checkpoint.
                if query.has("from") || query.has("take") {
                    return ok("[]".into());
                }
                match Page::of(&query, app, None)? {
                    Page::Number { page, per_page, include_totals: true } => ok(format!(
                        r#"{{"start":{},"limit":{per_page},"length":0,"total":0,"{name}":[]}}"#,
                        page.saturating_mul(per_page)
                    )),
                    Page::Number { .. } | Page::Checkpoint { .. } => ok("[]".into()),
                }
            }
            Answer::Checkpoint(name) => {
                query()?;
                ok(format!(r#"{{"{name}":[]}}"#))
            }
            Answer::PerPage(name) => {
                let per_page = query()?.number("per_page").unwrap_or(50);
                ok(format!(r#"{{"{name}":[],"per_page":{per_page}}}"#))
            }
            Answer::Counted(name) => {
                let query = query()?;
                let (page, per_page) =
                    (query.number("page").unwrap_or(0), query.number("per_page").unwrap_or(50));
                ok(format!(r#"{{"{name}":[],"total":0,"page":{page},"per_page":{per_page}}}"#))
            }
            Answer::Json(body) => Ok(json(StatusCode::OK, body)),
            Answer::TenantDomain => ok(format!(r#"{{"domain":"{}"}}"#, app.domain)),
            Answer::OfOrganization(of) => {
                let query = query()?;
                let id = path.iter().next().map(|(_, id)| id).unwrap_or_default();
                if !organizations::exists(app, id).await? {
                    return Err(Failure::organization_not_found());
                }
                of.answer(app, &query).await
            }
        }
    }
}

impl OfOrganization {
    async fn answer(self, app: &App, query: &Query) -> ApiResult {
        let ok = |body: String| Ok(json(StatusCode::OK, body));
        match self {
            Self::Missing(message, code) => Err(Failure::missing(message, code)),
            Self::Paged(name) => {
                let page = Page::of(query, app, Some(MOST_BY_NUMBER))?;
                let envelope = Envelope::list_first(name);
                page.answer(app, envelope, async |_| Ok(Vec::new()), async || Ok(0)).await
            }
            Self::Numbered(name) => match Page::of(query, app, Some(MOST_BY_NUMBER))? {
                Page::Number { page, per_page, include_totals: true } => {
                    let start = page.saturating_mul(per_page);
                    ok(format!(r#"{{"{name}":[],"start":{start},"limit":{per_page}}}"#))
                }
                Page::Number { .. } | Page::Checkpoint { .. } => ok("[]".into()),
            },
            Self::Checkpoint(name) => ok(format!(r#"{{"{name}":[]}}"#)),
        }
    }
}
