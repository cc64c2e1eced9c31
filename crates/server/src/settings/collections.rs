//! Settings of which there are several, with ids: themes, phone providers, phone templates.

use super::routes::described;
use super::store::{self, Before, Key, Stored};
use crate::app::App;
use crate::http::{ApiResult, Failure, Input, Slice, json, no_content};
use crate::ids;
use axum::extract::{Path, State};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::LazyLock;
use tenantry_types::json::in_order;
use tenantry_types::schema::Schema;
use tenantry_types::settings::{COLLECTIONS, Collection};
use tenantry_types::{ApiError, Object, time};

/// A collection with its schemas built.
struct Prepared {
    collection: &'static Collection,
    create: Schema,
    change: Schema,
}

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    let prepare = |collection: &&'static Collection| Prepared {
        collection,
        create: (collection.create)(),
        change: (collection.change)(),
    };
    COLLECTIONS.iter().map(prepare).collect()
});

pub(super) fn routes(mut slice: Slice<'_>) -> Slice<'_> {
    for prepared in &*PREPARED {
        let Collection { path, item_path, list, only, .. } = *prepared.collection;
        if list.is_some() {
            let handler = async |State(app): State<App>| prepared.list(&app).await;
            slice = described(slice, Method::GET, path, handler);
        }
        if let Some(path) = only {
            let handler = async |State(app): State<App>| prepared.get_only(&app).await;
            slice = described(slice, Method::GET, path, handler);
        }
        let post = async |State(app): State<App>, Input(body): Input| prepared.create(&app, &body).await;
        slice = described(slice, Method::POST, path, post).body(&prepared.create);
        let get = async |State(app): State<App>, Path(id): Path<String>| prepared.get(&app, id).await;
        slice = described(slice, Method::GET, item_path, get);
        let patch = async |State(app): State<App>, Path(id): Path<String>, Input(body): Input| {
            prepared.update(&app, id, &body).await
        };
        slice = described(slice, Method::PATCH, item_path, patch).body(&prepared.change);
        let delete = async |State(app): State<App>, Path(id): Path<String>| prepared.delete(&app, id).await;
        slice = described(slice, Method::DELETE, item_path, delete);
    }
    slice
}

impl Prepared {
    fn key(&self, id: String) -> Key {
        Key { kind: self.collection.path, id }
    }

    fn not_found(&self) -> Failure {
        let (message, code) = self.collection.missing;
        Failure::missing(message, code)
    }

    /// The object as answers show it.
    fn shown(&self, document: Value) -> Value {
        let Value::Object(mut members) = document else { return document };
        for name in self.collection.hidden {
            members.insert((*name).to_owned(), Value::Null);
        }
        Value::Object(in_order(members, self.collection.order))
    }

    async fn all(&self, app: &App) -> ApiResult<Vec<Stored>> {
        Ok(store::list(&app.db, &app.tenant, self.collection.path).await?)
    }

    async fn list(&self, app: &App) -> ApiResult {
        let all = self.all(app).await?.into_iter().map(|stored| self.shown(stored.document));
        let body = json!({self.collection.list.unwrap_or_default(): all.collect::<Vec<_>>()});
        Ok(json(StatusCode::OK, body.to_string()))
    }

    async fn get_only(&self, app: &App) -> ApiResult {
        let only = self.all(app).await?.into_iter().next().ok_or_else(|| self.not_found())?;
        Ok(json(StatusCode::OK, self.shown(only.document).to_string()))
    }

    async fn get(&self, app: &App, id: String) -> ApiResult {
        let stored = store::find(&app.db, &app.tenant, &self.key(id)).await?;
        let document = stored.ok_or_else(|| self.not_found())?.document;
        Ok(json(StatusCode::OK, self.shown(document).to_string()))
    }

    /// Refuses an object that another one excludes.
    fn check_conflict(&self, others: &[Stored], id: &str, document: &Object) -> ApiResult<()> {
        let others = || others.iter().filter(|other| other.id != id);
        let is_taken = match self.collection.unique {
            Some(name) => others().any(|other| other.document.get(name) == document.get(name)),
            None => self.collection.only.is_some() && others().next().is_some(),
        };
        if is_taken { Err(ApiError::new(409, self.collection.conflict).into()) } else { Ok(()) }
    }

    fn stamp(&self, app: &App, document: &mut Object, is_new: bool) {
        if !self.collection.stamped {
            return;
        }
        let now = Value::from(time::print(app.clock.now_ms()));
        if is_new {
            document.insert("tenant".into(), Value::from(app.tenant.as_str()));
            document.insert("created_at".into(), now.clone());
        }
        document.insert("updated_at".into(), now);
    }

    async fn create(&'static self, app: &App, body: &Value) -> ApiResult {
        let body = self.create.check_body(body)?;
        let (id_member, prefix) = self.collection.id;
        let id = ids::configuration_id(&app.random, prefix);
        let mut document = self.collection.defaults();
        document.extend(body.clone());
        document.insert(id_member.into(), Value::from(id.as_str()));
        self.stamp(app, &mut document, true);
        let key = self.key(id);
        let status = StatusCode::from_u16(self.collection.created).unwrap_or(StatusCode::OK);
        let transaction_app = app.clone();
        let created = app
            .db
            .transaction(move |tx| {
                let app = transaction_app;
                let others = store::list_for_update(tx, &app.tenant, key.kind)?;
                self.check_conflict(&others, &key.id, &document)?;
                tx.answers(status);
                let secrets = (self.collection.secrets, Before::Dropped);
                store::save(&app, tx, &key, None, Value::Object(document), secrets)
            })
            .await?;
        Ok(json(status, self.shown(created).to_string()))
    }

    async fn update(&'static self, app: &App, id: String, body: &Value) -> ApiResult {
        let body = self.change.check_body(body)?.clone();
        let key = self.key(id);
        let transaction_app = app.clone();
        let updated = app
            .db
            .transaction(move |tx| {
                let app = transaction_app;
                let before =
                    store::find_for_update(tx, &app.tenant, &key)?.ok_or_else(|| self.not_found())?;
                let Value::Object(mut document) = before.document.clone() else {
                    return Err(Failure::Internal("a setting is no object".into()));
                };
                self.collection.patch(&mut document, &body);
                self.stamp(&app, &mut document, false);
                let others = store::list_for_update(tx, &app.tenant, key.kind)?;
                self.check_conflict(&others, &key.id, &document)?;
                let secrets = (self.collection.secrets, Before::Kept);
                store::save(&app, tx, &key, Some(&before), Value::Object(document), secrets)
            })
            .await?;
        Ok(json(StatusCode::OK, self.shown(updated).to_string()))
    }

    async fn delete(&'static self, app: &App, id: String) -> ApiResult {
        let (key, tenant) = (self.key(id), app.tenant.clone());
        app.db
            .transaction(
                move |tx| {
                    if store::delete(tx, &tenant, &key)? { Ok(()) } else { Err(self.not_found()) }
                },
            )
            .await?;
        Ok(no_content())
    }
}
