//! The connection that listens for what other nodes wrote.

use super::{BACKOFF, Settings, WAIT, in_time};
use crate::db::generations::{Generations, Slot};
use crate::db::{DbError, DbResult};
use futures_util::{StreamExt as _, stream};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio_postgres::AsyncMessage;

/// How often the listener asks whether the connection lives, and how long an answer is good for. Together they say how
/// long a node may go on with something that another node changed.
const HEARTBEAT: Duration = Duration::from_millis(250);
const LEASE: Duration = Duration::from_secs(1);

/// Follows what other nodes write, as long as the counters are in use. Returns once news arrives.
pub(in crate::db) async fn listen(settings: &Settings, generations: &Arc<Generations>) -> DbResult<()> {
    let mut listener = Listener::connect(settings, generations).await?;
    let (settings, generations) = (settings.clone(), Arc::downgrade(generations));
    tokio::spawn(async move {
        loop {
            let error = listener.follow().await;
            let Some(generations) = generations.upgrade() else { return };
            generations.distrust();
            tracing::warn!(%error, "lost touch with the other nodes; nothing is taken from memory until it is back");
            listener = loop {
                tokio::time::sleep(BACKOFF).await;
                match Listener::connect(&settings, &generations).await {
                    Ok(listener) => break listener,
                    Err(error) => tracing::debug!(%error, "cannot listen to the other nodes"),
                }
            };
            tracing::info!("in touch with the other nodes again");
        }
    });
    Ok(())
}

struct Listener {
    client: tokio_postgres::Client,
    generations: Weak<Generations>,
}

impl Listener {
    async fn connect(settings: &Settings, generations: &Arc<Generations>) -> DbResult<Self> {
        let (client, mut connection) =
            in_time(WAIT * 2, settings.config.connect(settings.tls.clone())).await?;
        let schema = Arc::new(std::sync::OnceLock::<String>::new());
        let (ours, counters) = (Arc::clone(&schema), Arc::downgrade(generations));
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(news) = message
                    && let (Some(ours), Some(counters)) = (ours.get(), counters.upgrade())
                {
                    hear(news.payload(), ours, &counters);
                }
            }
        });
        let row = in_time(WAIT, client.query_one("SELECT current_schema()::text", &[])).await?;
        let _ = schema.set(row.try_get(0)?);
        let since = Instant::now();
        in_time(WAIT, client.batch_execute("LISTEN tenantry")).await?;
        generations.moved_all();
        generations.trust(since, LEASE);
        Ok(Self { client, generations: Arc::downgrade(generations) })
    }

    /// Returns why it had to stop. The server sends what it has to tell before it answers a question, so an answer says
    /// that everything committed before the question was heard of.
    async fn follow(&self) -> DbError {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let Some(generations) = self.generations.upgrade() else { return DbError::Stopped };
            let asked = Instant::now();
            match in_time(LEASE, self.client.batch_execute("SELECT 1")).await {
                Ok(()) => generations.trust(asked, LEASE),
                Err(error) => return error,
            }
        }
    }
}

/// Moves the counters that a notification names.
fn hear(news: &str, our_schema: &str, generations: &Generations) {
    let Some((rest, slots)) = news.rsplit_once(':') else { return };
    let Some((schema, probe)) = rest.rsplit_once(':') else { return };
    if schema != our_schema {
        return;
    }
    let numbers: Option<Vec<usize>> = slots.split(',').map(|number| number.parse().ok()).collect();
    match numbers {
        Some(numbers) if probe == Slot::probe().to_string() => {
            for number in numbers {
                generations.moved_number(number);
            }
        }
        _ => generations.moved_all(),
    }
}
