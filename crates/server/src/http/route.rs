//! Routes of the Management API: where, which scopes, what.

use super::Failure;
use super::caller::authorize;
use crate::app::App;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use percent_encoding::percent_decode_str;
use std::pin::Pin;
use tenantry_types::schema::Schema;
use tenantry_types::{ApiError, ErrorCode, Scope};

/// A route of the Management API. Whoever calls it holds one of its scopes before its handler runs.
pub(crate) struct ApiRoute {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) scopes: &'static [Scope],
    pub(crate) router: MethodRouter<App>,
    pub(crate) state: State,
    pub(crate) input: RouteInput,
}

/// What a route takes, for the description of the API.
#[derive(Clone, Copy, Default)]
pub(crate) struct RouteInput {
    pub(crate) body: Option<&'static Schema>,
    pub(crate) is_body_optional: bool,
    /// The members are parameters of the query.
    pub(crate) query: Option<&'static Schema>,
    /// What its handler looks at more closely than the route: all scopes of one of these sets are needed.
    pub(crate) scope_sets: Option<&'static [&'static [Scope]]>,
}

/// What a route does, as the documents tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The operation, in full.
    Served,
    /// Keeps a setting and gives it back; nothing else reads it.
    Echo,
    /// What an empty tenant answers.
    Empty,
    /// 501.
    NotServed,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Echo => "echo",
            Self::Empty => "empty",
            Self::NotServed => "not served",
        }
    }
}

/// A handler that runs for those who hold one of the scopes. Not a layer: each costs every request a few allocations.
#[derive(Clone)]
struct Guarded<H> {
    app: App,
    path: &'static str,
    scopes: &'static [Scope],
    handler: H,
}

impl<T: 'static, H: Handler<T, App>> Handler<T, App> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: App) -> Self::Future {
        let Self { app, path, scopes, handler } = self;
        Box::pin(async move {
            let run = async |request: Request| match check_path(request.uri().path()) {
                Ok(()) => handler.call(request, state).await,
                Err(error) => Failure::from(error).into_response(),
            };
            authorize(&app, (path, scopes), request, run).await
        })
    }
}

/// Ids in paths are texts.
fn check_path(path: &str) -> Result<(), ApiError> {
    if percent_decode_str(path).decode_utf8().is_ok() {
        return Ok(());
    }
    let message = format!("Path validation error: 'The path is not UTF-8: {path}'.");
    Err(ApiError::new(400, message).with_code(ErrorCode::InvalidUri))
}

/// The routes of a slice.
pub(crate) struct Slice<'a> {
    app: &'a App,
    pub(crate) routes: Vec<ApiRoute>,
}

impl<'a> Slice<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self { app, routes: Vec::new() }
    }

    pub(crate) fn add<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("an ordinary method");
        let app = self.app.clone();
        let router = on(filter, Guarded { app, path, scopes, handler });
        self.routes.push(ApiRoute {
            method,
            path,
            scopes,
            router,
            state: State::Served,
            input: RouteInput::default(),
        });
        self
    }

    /// Says what the body of the route that was added last looks like.
    pub(crate) fn body(self, schema: &'static Schema) -> Self {
        self.describe(|input| input.body = Some(schema))
    }

    /// The same of a body that may be left out.
    pub(crate) fn optional_body(self, schema: &'static Schema) -> Self {
        self.body(schema).describe(|input| input.is_body_optional = true)
    }

    /// Says which parameters the route that was added last takes.
    pub(crate) fn query(self, schema: &'static Schema) -> Self {
        self.describe(|input| input.query = Some(schema))
    }

    /// Says that the route that was added last needs more than one of its scopes: all of one of these sets.
    pub(crate) fn scope_sets(self, sets: &'static [&'static [Scope]]) -> Self {
        self.describe(|input| input.scope_sets = Some(sets))
    }

    fn describe(mut self, describe: impl FnOnce(&mut RouteInput)) -> Self {
        describe(&mut self.routes.last_mut().expect("a route came before").input);
        self
    }

    pub(crate) fn get<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self {
        self.add(Method::GET, path, scopes, handler)
    }

    pub(crate) fn post<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self {
        self.add(Method::POST, path, scopes, handler)
    }

    pub(crate) fn put<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self {
        self.add(Method::PUT, path, scopes, handler)
    }

    pub(crate) fn patch<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self {
        self.add(Method::PATCH, path, scopes, handler)
    }

    pub(crate) fn delete<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        scopes: &'static [Scope],
        handler: H,
    ) -> Self {
        self.add(Method::DELETE, path, scopes, handler)
    }
}
