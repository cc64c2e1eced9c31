//! The routes of single settings, made from their list.

use super::store::{self, Before, Key};
use super::{collections, guardian, rendering};
use crate::app::App;
use crate::http::{ApiResult, Failure, Input, Query, Slice, State, json, no_content};
use crate::operations;
use axum::extract::{RawPathParams, RawQuery, State as Shared};
use axum::handler::Handler;
use http::{Method, StatusCode};
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::json::in_order;
use tenantry_types::schema::{Member, Part, Schema, boolean, object, optional, string};
use tenantry_types::settings::{Create, Nested, SETTINGS, Setting};
use tenantry_types::{ApiError, Object};

/// A setting with its schemas built.
pub(super) struct Prepared {
    setting: &'static Setting,
    patch: Option<Schema>,
    put: Option<Schema>,
    create: Option<(&'static Create, Schema)>,
    order: Vec<&'static str>,
}

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    let prepare = |setting: &'static Setting| {
        let (patch, put) = (setting.patch.map(|schema| schema()), setting.put.map(|schema| schema()));
        let order = put.iter().chain(&patch).flat_map(Schema::members).map(Member::name).collect();
        let create = setting.create.as_ref().map(|create| (create, (create.body)()));
        Prepared { setting, patch, put, create, order }
    };
    SETTINGS.iter().copied().flatten().map(prepare).collect()
});

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    let mut slice = Slice::new(app);
    for prepared in &*PREPARED {
        slice = setting_routes(slice, prepared);
    }
    slice = guardian::routes(slice);
    slice = rendering::routes(slice);
    slice = collections::routes(slice);
    for route in &mut slice.routes {
        route.state = State::Echo;
    }
    slice
}

/// Declares a route with the scopes that the description asks for.
///
/// # Panics
/// If it is not described; routes are declared at start.
pub(super) fn described<'a, H: Handler<T, App>, T: 'static>(
    slice: Slice<'a>,
    method: Method,
    path: &'static str,
    handler: H,
) -> Slice<'a> {
    let scopes = operations::scopes(&method, path).expect("an operation of the description");
    slice.add(method, path, scopes, handler)
}

fn setting_routes<'a>(mut slice: Slice<'a>, prepared: &'static Prepared) -> Slice<'a> {
    let path = prepared.setting.path;
    let is_described = |method: &Method| operations::scopes(method, path).is_some();
    // A provider that has nothing but a secret is not described with GET.
    if is_described(&Method::GET) {
        let get = async |Shared(app): Shared<App>, path: RawPathParams, RawQuery(query): RawQuery| {
            prepared.get(&app, &path, query.as_deref()).await
        };
        slice = described(slice, Method::GET, path, get).query(&FIELDS_QUERY);
    }
    if let Some(schema) = &prepared.patch {
        let update = async |Shared(app): Shared<App>, path: RawPathParams, Input(body): Input| {
            prepared.patch(&app, &path, body).await
        };
        slice = described(slice, Method::PATCH, path, update).body(schema);
    }
    if let Some(schema) = &prepared.put {
        let replace = async |Shared(app): Shared<App>, path: RawPathParams, Input(body): Input| {
            prepared.put(&app, &path, body).await
        };
        slice = described(slice, Method::PUT, path, replace).body(schema);
    }
    if let Some((create, schema)) = &prepared.create {
        let create_one =
            async |Shared(app): Shared<App>, Input(body): Input| prepared.create(&app, &body).await;
        slice = described(slice, Method::POST, create.path, create_one).body(schema);
    }
    if is_described(&Method::DELETE) {
        let delete = async |Shared(app): Shared<App>| prepared.delete(&app).await;
        slice = described(slice, Method::DELETE, path, delete);
    }
    slice
}

static FIELDS_QUERY: LazyLock<Schema> =
    LazyLock::new(|| object([optional("fields", string()), optional("include_fields", boolean())]));

impl Prepared {
    fn key(&self, path: &RawPathParams) -> ApiResult<Key> {
        let values: Vec<_> = path.iter().map(|(_, value)| value.to_owned()).collect();
        self.setting.check_parameters(&values)?;
        Ok(Key { kind: self.setting.path, id: values.join("/") })
    }

    fn answer(&self, document: Value) -> String {
        match document {
            Value::Object(members) => Value::Object(in_order(members, &self.order)).to_string(),
            other => other.to_string(),
        }
    }

    async fn get(&self, app: &App, path: &RawPathParams, query: Option<&str>) -> ApiResult {
        let key = self.key(path)?;
        let query = Query::parse(query, &FIELDS_QUERY)?;
        let mut document = match store::find(&app.db, &app.tenant, &key).await? {
            Some(stored) => stored.document,
            None => self.setting.initial()?,
        };
        if let (Some(fields), Some(members)) = (query.text("fields"), document.as_object_mut()) {
            let included = query.flag("include_fields").unwrap_or(true);
            members.retain(|name, _| fields.split(',').any(|field| field == name) == included);
        }
        Ok(json(StatusCode::OK, self.answer(document)))
    }

    async fn patch(&'static self, app: &App, path: &RawPathParams, body: Value) -> ApiResult {
        let key = self.key(path)?;
        let schema = self.patch.as_ref().expect("declared with its schema");
        schema.check_body(&body)?;
        self.check_id(&key, &body)?;
        let Value::Object(body) = body else { unreachable!("checked above") };
        let document = self.write(app, key, Change::Patch(body)).await?;
        Ok(json(StatusCode::OK, self.answer(document)))
    }

    async fn put(&'static self, app: &App, path: &RawPathParams, body: Value) -> ApiResult {
        let key = self.key(path)?;
        let schema = self.put.as_ref().expect("declared with its schema");
        schema.check(Part::Payload, &body)?;
        self.check_id(&key, &body)?;
        let document = self.write(app, key, Change::Put(body)).await?;
        Ok(json(StatusCode::OK, self.answer(document)))
    }

    /// Changes the setting; returns it without its secrets.
    async fn write(&'static self, app: &App, key: Key, change: Change) -> ApiResult<Value> {
        let transaction_app = app.clone();
        app.db.transaction(move |tx| self.write_in(&transaction_app, tx, &key, &change)).await
    }

    pub(super) fn write_in(
        &self,
        app: &App,
        tx: &mut crate::db::Tx<'_>,
        key: &Key,
        change: &Change,
    ) -> ApiResult<Value> {
        let before = store::find_for_update(tx, &app.tenant, key)?;
        // Where there is nothing at first, only POST makes something.
        let document = match &before {
            Some(before) => before.document.clone(),
            None => self.setting.initial()?,
        };
        let secrets = self.setting.secrets;
        let (document, old) = match change {
            Change::Put(body) => (body.clone(), Before::Dropped),
            Change::Patch(body) => {
                let is_replaced = self.setting.nested == Nested::Replaced
                    && secrets.iter().any(|path| path.len() > 1 && body.contains_key(path[0]));
                let old = if is_replaced { Before::Dropped } else { Before::Kept };
                (self.setting.patched(document, body), old)
            }
        };
        store::save(app, tx, key, before.as_ref(), document, (secrets, old))
    }

    /// A member that stands for a parameter of the path says what the path says.
    fn check_id(&self, key: &Key, body: &Value) -> ApiResult<()> {
        let name = self.create.as_ref().and_then(|(create, _)| create.id);
        match name.and_then(|name| Some((name, body.get(name)?))) {
            Some((name, id)) if *id != key.id => {
                Err(ApiError::invalid_body(format!("{name} must be `{}`, as in the path", key.id)).into())
            }
            _ => Ok(()),
        }
    }

    async fn create(&'static self, app: &App, body: &Value) -> ApiResult {
        let (create, schema) = self.create.as_ref().expect("declared with its schema");
        let body = schema.check_body(body)?;
        let id = create.id.and_then(|name| body.get(name)).and_then(Value::as_str).unwrap_or_default();
        let key = Key { kind: self.setting.path, id: id.to_owned() };
        let document = create.created(body);
        let status = StatusCode::from_u16(create.status).unwrap_or(StatusCode::OK);
        let transaction_app = app.clone();
        let created = app
            .db
            .transaction(move |tx| {
                let app = transaction_app;
                if let Some(existing) = store::find_for_update(tx, &app.tenant, &key)? {
                    let (message, member, code) = create.conflict;
                    let value = existing.document.get(member).and_then(Value::as_str).unwrap_or_default();
                    return Err(Failure::conflict(&format!("{message}{value}"), code));
                }
                tx.answers(status);
                store::save(&app, tx, &key, None, document, (self.setting.secrets, Before::Dropped))
            })
            .await?;
        Ok(json(status, self.answer(created)))
    }

    async fn delete(&'static self, app: &App) -> ApiResult {
        let key = Key { kind: self.setting.path, id: String::new() };
        let tenant = app.tenant.clone();
        let missing = self.setting.initial().err();
        app.db
            .transaction(move |tx| {
                let was_there = store::delete(tx, &tenant, &key)?;
                match missing {
                    Some(error) if !was_there => Err(Failure::from(error)),
                    _ => Ok(()),
                }
            })
            .await?;
        Ok(no_content())
    }
}

/// A change of a setting.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(Value),
    Patch(Object),
}

/// The setting of that path.
///
/// # Panics
/// If there is none.
pub(super) fn prepared(setting: &Setting) -> &'static Prepared {
    PREPARED.iter().find(|one| one.setting.path == setting.path).expect("a setting of the list")
}
