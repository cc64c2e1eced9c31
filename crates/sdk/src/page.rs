//! Lists, a page at a time or as a stream.

use crate::call::{Call, Request};
use crate::client::ManagementClient;
use crate::error::Error;
use futures_core::Stream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use tenantry_types::Object;

/// A page of a list, and the way to the next one.
///
/// ```
/// # tenantry_testkit::example(async |management| {
/// use tenantry_sdk::ListClients;
///
/// let list = ListClients { per_page: Some(1), include_totals: true, ..ListClients::default() };
/// let mut page = management.clients().list(&list).await?;
/// println!("{:?} in all", page.total);
/// loop {
///     for client in &page.items {
///         println!("{:?}", client.name);
///     }
///     let Some(next) = page.next_page() else { break };
///     page = next.await?;
/// }
/// # assert_eq!(page.start, page.total.map(|total| total - 1));
/// # Ok(()) });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<T>,
    /// How many there are in all, if the server said.
    pub total: Option<u64>,
    /// The number of the first one, likewise.
    pub start: Option<u64>,
    /// How many a page holds at most, likewise.
    pub limit: Option<u64>,
    /// The checkpoint behind the last one, if there are more. For lists that were asked for with `take` or `from`.
    pub next: Option<String>,
    following: Option<Box<Call<Page<T>>>>,
}

impl<T> Page<T> {
    /// The call for the page after this one, with the same options; `None` after the last.
    #[must_use]
    pub fn next_page(&self) -> Option<Call<Self>> {
        self.following.as_deref().cloned()
    }
}

/// Every object of a list, page after page. A [`Stream`], so that the combinators of the futures crates work too; after
/// an error it ends.
///
/// ```
/// # tenantry_testkit::example(async |management| {
/// let mut clients = management.clients().stream(&Default::default());
/// while let Some(client) = clients.next().await {
///     println!("{:?}", client?.name);
/// }
/// # Ok(()) });
/// ```
#[must_use = "a stream does nothing until it is read"]
pub struct Items<T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>);

impl<T> Items<T> {
    /// The next object.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.0.next().await
    }

    /// All objects, or the first error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn collect(self) -> Result<Vec<T>, Error> {
        self.0.try_collect().await
    }
}

impl<T> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Call<Page<T>> {
    /// Every object of the list from this page on; the options of this call hold for the call of each page.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use std::time::Duration;
    ///
    /// let grants = management.client_grants().list(&Default::default());
    /// let all = grants.timeout(Duration::from_secs(5)).stream().collect().await?;
    /// # assert_eq!(all.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn stream(self) -> Items<T> {
        let pages = stream::try_unfold(Some(self), |call| async move {
            let Some(call) = call else { return Ok::<_, Error>(None) };
            let page = call.await?;
            Ok(Some((stream::iter(page.items).map(Ok), page.following.map(|call| *call))))
        });
        Items(Box::pin(pages.try_flatten()))
    }
}

/// Objects that lists hold.
pub(crate) trait Listed: DeserializeOwned + Send + 'static {
    /// The member of the envelope that is the list.
    const MEMBER: &'static str;
}

/// The call for a list.
pub(crate) fn list<T: Listed>(client: &ManagementClient, path: impl Into<String>) -> Call<Page<T>> {
    Call::reading(client, Method::GET, path, read)
}

/// Objects on a page when nobody says otherwise.
const DEFAULT_LIMIT: u64 = 50;

/// A list is an array, or an object with the array and what is known about it.
fn read<T: Listed>(client: &ManagementClient, request: &Request, raw: &[u8]) -> serde_json::Result<Page<T>> {
    let is_bare = raw.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let mut page = if is_bare {
        let items = serde_json::from_slice(raw)?;
        Page { items, total: None, start: None, limit: None, next: None, following: None }
    } else {
        let mut envelope: Object = serde_json::from_slice(raw)?;
        let number = |name: &str| envelope.get(name).and_then(Value::as_u64);
        let (total, start, limit) = (number("total"), number("start"), number("limit"));
        let next = envelope.get("next").and_then(Value::as_str).filter(|next| !next.is_empty());
        let next = next.map(str::to_owned);
        let items = envelope.remove(T::MEMBER).ok_or_else(|| serde_json::Error::missing_field(T::MEMBER))?;
        Page { items: serde_json::from_value(items)?, total, start, limit, next, following: None }
    };
    page.following = following(&page, request)?
        .map(|query| Box::new(Call::again(client, Request { query, ..request.clone() }, read)));
    Ok(page)
}

/// The query of the next page.
fn following<T>(page: &Page<T>, request: &Request) -> serde_json::Result<Option<Vec<(String, String)>>> {
    let asked = |name: &str| request.query.iter().rfind(|(asked, _)| asked == name).map(|(_, value)| value);
    let with = |name: &str, value: String| {
        let others = request.query.iter().filter(|(asked, _)| asked != name).cloned();
        Some(others.chain([(name.to_owned(), value)]).collect())
    };
    if let Some(next) = &page.next {
        if asked("from") == Some(next) {
            return Err(serde_json::Error::custom("the checkpoint is the one that was asked for"));
        }
        return Ok(with("from", next.clone()));
    }
    if asked("take").is_some() || asked("from").is_some() {
        return Ok(None);
    }
    let number = |name: &str| asked(name).and_then(|value| value.parse::<u64>().ok());
    let limit = page.limit.or_else(|| number("per_page")).unwrap_or(DEFAULT_LIMIT);
    let held = page.items.len() as u64;
    // Fewer than fit: the last page. More than fit: the server takes no page numbers, and this is everything.
    let is_last = held != limit
        || limit == 0
        || page.total.zip(page.start).is_some_and(|(total, start)| start + held >= total);
    if is_last {
        return Ok(None);
    }
    Ok(with("page", (number("page").unwrap_or(0).saturating_add(1)).to_string()))
}
