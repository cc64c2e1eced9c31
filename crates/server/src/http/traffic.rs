//! What requests are counted under: an operation, which is a method and the template of a path. Whatever callers make up
//! counts under one more, so that their inventions fill neither memory nor dashboards.

use crate::limiter::{Limiter, Subject};
use crate::metrics::{Counter, Gauge, Times};
use http::{Method, StatusCode};
use std::time::Duration;

/// Methods that have operations; `HEAD` is a `GET` without the body.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The route of requests that no operation answers.
const UNMATCHED: &str = "unmatched";

/// All operations.
pub(crate) struct Traffic {
    routes: matchit::Router<[Option<u16>; METHODS.len()]>,
    operations: Box<[Operation]>,
    /// Requests that are being answered.
    pub(crate) in_flight: Gauge,
    /// Answers with 500: something is out of order.
    pub(crate) internal: Counter,
    /// Answers with 503: something cannot be had for now.
    pub(crate) unavailable: Counter,
}

/// An operation, and how it went.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    /// Answers by the first digit of their status.
    pub(crate) answers: [Counter; 5],
    pub(crate) times: Times,
    pub(super) subject: Subject,
}

impl Operation {
    fn new(method: &'static str, route: &'static str, subject: Subject) -> Self {
        Self { method, route, answers: Default::default(), times: Times::default(), subject }
    }

    fn record(&self, status: StatusCode, time: Duration) {
        self.answers[usize::from(status.as_u16() / 100 - 1).min(4)].increment();
        self.times.record_time(time);
    }
}

fn index(method: &Method) -> Option<usize> {
    let name = if method == Method::HEAD { "GET" } else { method.as_str() };
    METHODS.iter().position(|known| *known == name)
}

impl Traffic {
    pub(crate) fn new(
        routes: impl IntoIterator<Item = (Method, &'static str)>,
        limiter: Option<&Limiter>,
    ) -> Self {
        let mut operations = vec![];
        let mut paths: Vec<(&'static str, [Option<u16>; METHODS.len()])> = vec![];
        for (method, path) in routes {
            let Some(method) = index(&method) else { continue };
            let place = paths.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
                paths.push((path, [None; METHODS.len()]));
                paths.len() - 1
            });
            paths[place].1[method] = Some(u16::try_from(operations.len()).expect("a few hundred operations"));
            let subject = limiter.map(|limiter| limiter.operation(METHODS[method], path));
            operations.push(Operation::new(METHODS[method], path, subject.unwrap_or(Subject::NOTHING)));
        }
        let is_path = |route| paths.iter().any(|(path, _)| *path == route);
        debug_assert!(limiter.is_none_or(|limiter| limiter.routes().all(is_path)), "limits are for routes");
        let mut routes = matchit::Router::new();
        for (path, methods) in paths {
            routes.insert(path, methods).expect("the router takes the same paths");
        }
        let unmatched = |method: &&'static str| Operation::new(method, UNMATCHED, Subject::NOTHING);
        operations.extend(METHODS.iter().chain(&["other"]).map(unmatched));
        Self {
            routes,
            operations: operations.into(),
            in_flight: Gauge::default(),
            internal: Counter::default(),
            unavailable: Counter::default(),
        }
    }

    /// What answers such a request.
    pub(super) fn operation(&self, method: &Method, path: &str) -> &Operation {
        let method = index(method);
        let known = method.and_then(|method| self.routes.at(path).ok()?.value[method]);
        let unmatched = || self.operations.len() - 1 - METHODS.len() + method.unwrap_or(METHODS.len());
        &self.operations[known.map_or_else(unmatched, usize::from)]
    }

    pub(super) fn record(&self, operation: &Operation, status: StatusCode, time: Duration) {
        operation.record(status, time);
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => self.internal.increment(),
            StatusCode::SERVICE_UNAVAILABLE => self.unavailable.increment(),
            _ => {}
        }
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_under_templates_and_inventions_under_one() {
        let routes = [
            (Method::GET, "/clients"),
            (Method::POST, "/clients"),
            (Method::GET, "/clients/{id}"),
            (Method::GET, "/clients/all"),
        ];
        let traffic = Traffic::new(routes, None);
        let found = |method: Method, path: &str| {
            let operation = traffic.operation(&method, path);
            (operation.method, operation.route)
        };
        assert_eq!(found(Method::GET, "/clients"), ("GET", "/clients"));
        assert_eq!(found(Method::POST, "/clients"), ("POST", "/clients"));
        assert_eq!(found(Method::GET, "/clients/%41"), ("GET", "/clients/{id}"));
        assert_eq!(found(Method::HEAD, "/clients/x"), ("GET", "/clients/{id}"));
        assert_eq!(found(Method::GET, "/clients/all"), ("GET", "/clients/all"));
        assert_eq!(found(Method::DELETE, "/clients"), ("DELETE", "unmatched"));
        assert_eq!(found(Method::GET, "/invented"), ("GET", "unmatched"));
        assert_eq!(found(Method::from_bytes(b"BREW").unwrap(), "/clients"), ("other", "unmatched"));
    }
}
