//! Routes of the Management API: where, which scopes, what.

use super::caller::authorize;
use crate::app::App;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use std::pin::Pin;
use tenantry_types::Scope;

/// A route of the Management API. Whoever calls it holds one of its scopes before its handler runs.
pub(crate) struct ApiRoute {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) scopes: &'static [Scope],
    pub(crate) router: MethodRouter<App>,
    pub(crate) state: State,
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
            authorize(&app, (path, scopes), request, |request| handler.call(request, state)).await
        })
    }
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
        self.routes.push(ApiRoute { method, path, scopes, router, state: State::Served });
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
