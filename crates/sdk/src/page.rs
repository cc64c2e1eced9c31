//! Lists, a page at a time or as a stream.

use crate::call::Call;
use crate::error::Error;
use futures_core::Stream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantry_types::Object;

/// A page of a list, and the way to the next one.
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
    /// The checkpoint behind the last one, if there are more.
    pub next: Option<String>,
}

/// What a list answers: a bare list, or an object with the list and what is known about it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Listed<T> {
    Bare(Vec<T>),
    Envelope(Object),
}

impl<T: DeserializeOwned> Listed<T> {
    pub(crate) fn into_page(self, name: &str) -> Result<Page<T>, Error> {
        match self {
            Self::Bare(items) => Ok(Page { items, total: None, start: None, limit: None, next: None }),
            Self::Envelope(mut envelope) => {
                let number = |name: &str| envelope.get(name).and_then(Value::as_u64);
                let (total, start, limit) = (number("total"), number("start"), number("limit"));
                let next = envelope.get("next").and_then(Value::as_str).filter(|next| !next.is_empty());
                let next = next.map(str::to_owned);
                let items = envelope.remove(name).unwrap_or_else(|| Value::Array(Vec::new()));
                let items = serde_json::from_value(items).map_err(Error::Decode)?;
                Ok(Page { items, total, start, limit, next })
            }
        }
    }
}

/// Where a walk through a list is.
enum Walk {
    At(Option<String>),
    Done,
}

/// Every object of a list, by checkpoints: `request` makes the call for the page behind a checkpoint.
pub(crate) fn walk<T, R>(name: &'static str, request: R) -> impl Stream<Item = Result<T, Error>> + Send
where
    T: DeserializeOwned + Send + 'static,
    R: Fn() -> Call<Listed<T>> + Send + Sync + 'static,
{
    let pages = stream::try_unfold((Walk::At(None), request), move |(walk, request)| async move {
        let Walk::At(from) = walk else { return Ok::<_, Error>(None) };
        let mut call = request();
        if let Some(from) = from {
            call = call.query("from", from);
        }
        let page = call.await?.into_page(name)?;
        let after = page.next.map_or(Walk::Done, |next| Walk::At(Some(next)));
        Ok(Some((stream::iter(page.items).map(Ok), (after, request))))
    });
    pages.try_flatten()
}

/// Every object of a list, by page numbers, for collections without checkpoints.
pub(crate) fn walk_numbers<T, R>(
    name: &'static str,
    per_page: u64,
    request: R,
) -> impl Stream<Item = Result<T, Error>> + Send
where
    T: DeserializeOwned + Send + 'static,
    R: Fn() -> Call<Listed<T>> + Send + Sync + 'static,
{
    let pages = stream::try_unfold((Some(0_u64), request), move |(page, request)| async move {
        let Some(number) = page else { return Ok::<_, Error>(None) };
        let call = request().query("page", number.to_string()).query("per_page", per_page.to_string());
        let page = call.await?.into_page(name)?;
        let is_last = (page.items.len() as u64) < per_page;
        let after = if is_last { None } else { Some(number + 1) };
        Ok(Some((stream::iter(page.items).map(Ok), (after, request))))
    });
    pages.try_flatten()
}
