//! Requests, and single calls.

use crate::Failure;
use crate::load::{Ask, Load};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A server, and the token that it is called with.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    host: HeaderValue,
    bearer: Option<HeaderValue>,
}

impl Api {
    pub(crate) fn new(address: SocketAddr) -> Result<Self, Failure> {
        Ok(Self { address, host: HeaderValue::try_from(address.to_string())?, bearer: None })
    }

    pub(crate) fn with_token(&self, token: &str) -> Result<Self, Failure> {
        let bearer = HeaderValue::try_from(format!("Bearer {token}"))?;
        Ok(Self { bearer: Some(bearer), ..self.clone() })
    }

    /// The same server, called by nobody.
    pub(crate) fn anonymous(&self) -> Self {
        Self { bearer: None, ..self.clone() }
    }

    /// The same server at another address.
    pub(crate) fn moved(self, address: SocketAddr) -> Result<Self, Failure> {
        Ok(Self { bearer: self.bearer, ..Self::new(address)? })
    }

    /// A request without a body.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        self.request(method, path, None, Bytes::new())
    }

    pub(crate) fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    /// A request with a body.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        content: HeaderValue,
        body: impl Into<Bytes>,
    ) -> Ask {
        self.request(method, path, Some(content), body.into())
    }

    fn request(&self, method: Method, path: &str, content: Option<HeaderValue>, body: Bytes) -> Ask {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // What is not a path becomes one that no server has, and its 404 says so.
        *request.uri_mut() = path.parse().unwrap_or_else(|_| http::Uri::from_static("/not-a-path"));
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        if let Some(bearer) = &self.bearer {
            headers.insert(header::AUTHORIZATION, bearer.clone());
        }
        if let Some(content) = content {
            headers.insert(header::CONTENT_TYPE, content);
        }
        request
    }

    /// Asks once, expects this status, and gives the body.
    pub(crate) fn once(&self, request: &Ask, expect: StatusCode) -> Result<Vec<u8>, Failure> {
        let body = RefCell::new(Vec::new());
        let load = Load {
            to: self.address,
            connections: 1,
            lasts: Duration::from_secs(30),
            most: 1,
            expect,
            ask: &|_| Some(request.clone()),
            answer: Some(&|answer| *body.borrow_mut() = answer.to_vec()),
            process: None,
        };
        let path = request.uri().path();
        load.run().map_err(|error| format!("{} {path}: {error}", request.method()))?;
        Ok(body.into_inner())
    }

    /// Posts JSON, and reads the JSON of the answer.
    pub(crate) fn post(&self, path: &str, body: &Value, expect: StatusCode) -> Result<Value, Failure> {
        let request = self.send(Method::POST, path, JSON, body.to_string());
        Ok(serde_json::from_slice(&self.once(&request, expect)?)?)
    }
}

/// A string member of an object.
pub(crate) fn text(object: &Value, name: &str) -> Result<String, Failure> {
    let text = object[name].as_str().ok_or_else(|| format!("an answer without `{name}`"))?;
    Ok(text.to_owned())
}
