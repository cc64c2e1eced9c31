//! A call: one operation of the API with its options.

use crate::attempt;
use crate::client::ManagementClient;
use crate::error::{Error, Unreadable};
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

/// What is sent, and how.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// The body, or why there is none.
    pub(crate) body: Result<Option<Bytes>, String>,
    /// Whether doing it twice is the same as doing it once.
    pub(crate) is_repeatable: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) max_retries: Option<u32>,
}

/// How an answer becomes a value.
pub(crate) type Read<T> = fn(&ManagementClient, &Request, &[u8]) -> serde_json::Result<T>;

/// An operation that is done when it is awaited. Dropping the future cancels it, also while it pauses before a retry.
///
/// ```
/// # tenantry_testkit::example(async |management| {
/// use std::time::Duration;
///
/// let call = management.clients().get("no such client").timeout(Duration::from_secs(5)).max_retries(0);
/// let error = call.await.unwrap_err();
/// assert!(error.is_not_found());
/// # Ok(()) });
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    client: ManagementClient,
    request: Request,
    read: Read<T>,
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), request: self.request.clone(), read: self.read }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { method, path, .. } = &self.request;
        f.debug_struct("Call").field("method", method).field("path", path).finish_non_exhaustive()
    }
}

/// An answer with everything that came along.
///
/// ```
/// # tenantry_testkit::example(async |management| {
/// let page = management.clients().list(&Default::default()).with_response().await?;
/// assert_eq!(page.status, 200);
/// assert!(page.rate_limit_remaining() <= page.rate_limit());
/// println!("{} bytes, {:?}", page.raw.len(), page.headers.get("date"));
/// # Ok(()) });
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Response<T> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came; never printed, because it may hold secrets.
    pub raw: Bytes,
    /// The typed body.
    pub value: T,
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

impl<T> Response<T> {
    fn number(&self, name: &str) -> Option<u64> {
        self.headers.get(name)?.to_str().ok()?.parse().ok()
    }

    /// Requests that are allowed in the current window.
    #[must_use]
    pub fn rate_limit(&self) -> Option<u64> {
        self.number("x-ratelimit-limit")
    }

    /// Requests that are left of them.
    #[must_use]
    pub fn rate_limit_remaining(&self) -> Option<u64> {
        self.number("x-ratelimit-remaining")
    }

    /// When the window ends, in seconds since 1970.
    #[must_use]
    pub fn rate_limit_reset(&self) -> Option<u64> {
        self.number("x-ratelimit-reset")
    }
}

impl<T: DeserializeOwned> Call<T> {
    pub(crate) fn new(client: &ManagementClient, method: Method, path: impl Into<String>) -> Self {
        // An empty answer is `null`, which is what `()` reads.
        let read: Read<T> =
            |_, _, raw| serde_json::from_slice(if raw.is_empty() { b"null".as_slice() } else { raw });
        Self::reading(client, method, path, read)
    }
}

impl<T> Call<T> {
    pub(crate) fn reading(
        client: &ManagementClient,
        method: Method,
        path: impl Into<String>,
        read: Read<T>,
    ) -> Self {
        let request = Request {
            is_repeatable: method != Method::POST,
            method,
            path: path.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Ok(None),
            timeout: None,
            attempt_timeout: None,
            max_retries: None,
        };
        Self { client: client.clone(), request, read }
    }

    pub(crate) fn again(client: &ManagementClient, request: Request, read: Read<T>) -> Self {
        Self { client: client.clone(), request, read }
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Self {
        self.request.body =
            serde_json::to_vec(body).map(|json| Some(json.into())).map_err(|error| error.to_string());
        self
    }

    /// For a POST that changes nothing.
    pub(crate) fn repeatable(mut self) -> Self {
        self.request.is_repeatable = true;
        self
    }

    pub(crate) fn query_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value.to_string()),
            None => self,
        }
    }

    /// How long the whole call may take, with the token, pauses and retries; 60 s if nobody says otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// How long one attempt may take; as long as the call if nobody says otherwise.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.request.attempt_timeout = Some(timeout);
        self
    }

    /// How often it is tried again at most; twice if nobody says otherwise. See [retries](crate#retries).
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.request.max_retries = Some(retries);
        self
    }

    /// Sends a header too; in place of the usual one, if it has the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.request.headers.insert(name, value);
        self
    }

    /// Sends a query parameter too.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.query.push((name.into(), value.into()));
        self
    }

    /// Reads only these fields. For calls that read clients, connections of clients and APIs.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "My app".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let client = management.clients().get(&id).fields(&["name", "callbacks"]).await?;
    /// assert_eq!((client.name.as_deref(), client.client_secret), (Some("My app"), None));
    /// # Ok(()) });
    /// ```
    pub fn fields(self, names: &[&str]) -> Self {
        self.query("fields", names.join(","))
    }

    /// Reads all but these fields. For the same calls as [`fields`](Self::fields).
    pub fn without_fields(self, names: &[&str]) -> Self {
        self.fields(names).query("include_fields", "false")
    }
}

impl<T: Send + 'static> Call<T> {
    /// Does it, and gives status, headers, rate limits and the raw body as well.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn with_response(self) -> Result<Response<T>, Error> {
        let Self { client, request, read } = self;
        let (status, headers, raw) = attempt::perform(&client, &request).await?;
        match read(&client, &request, &raw) {
            Ok(value) => Ok(Response { status, headers, raw, value }),
            Err(cause) => Err(Error::Decode(Box::new(Unreadable { status, headers, raw, cause }))),
        }
    }
}

impl<T: Send + 'static> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.with_response().await.map(|response| response.value) })
    }
}
