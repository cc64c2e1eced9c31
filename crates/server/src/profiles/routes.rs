//! The APIs of profiles, one set of handlers for each kind.

use super::{ConnectionProfile, Profile, UserAttributeProfile, store};
use crate::app::App;
use crate::clients::references;
use crate::http::{ApiResult, Failure, Input, Page, Query, Slice, Window, json, no_content};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use tenantry_types::{ApiError, Object};

/// How much a page of a list holds when the request does not say.
const DEFAULT_TAKE: u64 = 5;

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    let slice = routes_of::<ConnectionProfile>(Slice::new(app));
    routes_of::<UserAttributeProfile>(slice)
}

fn routes_of<P: Profile>(slice: Slice<'_>) -> Slice<'_> {
    slice
        .get(P::COLLECTION, P::READ, list_profiles::<P>)
        .query(P::LIST_QUERY)
        .post(P::COLLECTION, P::CREATE, create_profile::<P>)
        .body(P::CREATE_BODY)
        .get(P::TEMPLATES, P::READ, list_templates::<P>)
        .get(P::TEMPLATE, P::READ, get_template::<P>)
        .get(P::ITEM, P::READ, get_profile::<P>)
        .patch(P::ITEM, P::UPDATE, update_profile::<P>)
        .body(P::PATCH_BODY)
        .delete(P::ITEM, P::DELETE, delete_profile::<P>)
}

fn answer(status: StatusCode, body: Object) -> Response {
    json(status, Value::Object(body).to_string())
}

async fn list_profiles<P: Profile>(State(app): State<App>, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), P::LIST_QUERY)?;
    let list = async |window: Window| Ok(store::list(&app.db, &app.tenant, P::KIND, &window).await?);
    let name = format!("{}s", P::KIND.as_str());
    Page::by_checkpoint_of_size(&query, &app, DEFAULT_TAKE)?
        .answer(&app, name.as_str(), list, async || Ok(0))
        .await
}

async fn create_profile<P: Profile>(State(app): State<App>, Input(body): Input) -> ApiResult {
    let profile = P::create(P::check_create_body(&body)?, &P::new_id(&app.random));
    let tenant = app.tenant.clone();
    let profile = app
        .db
        .transaction(move |tx| {
            if store::has_taken_name(tx, &tenant, P::KIND, &profile)? {
                return Err(P::KIND.conflict());
            }
            store::insert(tx, &tenant, P::KIND, &profile)?;
            Ok(profile)
        })
        .await?;
    Ok(answer(StatusCode::CREATED, profile))
}

async fn get_profile<P: Profile>(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let profile = store::find(&app.db, &app.tenant, P::KIND, &id).await?;
    Ok(json(StatusCode::OK, profile.ok_or_else(|| P::KIND.not_found())?))
}

async fn update_profile<P: Profile>(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    P::check_patch_body(&body)?;
    let Value::Object(body) = body else { unreachable!("checked above") };
    let tenant = app.tenant.clone();
    let profile = app
        .db
        .transaction(move |tx| {
            let (before, version) =
                store::find_for_update(tx, &tenant, P::KIND, &id)?.ok_or_else(|| P::KIND.not_found())?;
            let after = P::patch(&before, &body);
            if store::has_taken_name(tx, &tenant, P::KIND, &after)? {
                return Err(P::KIND.conflict());
            }
            if !store::update(tx, &tenant, P::KIND, (&before, &after), version)? {
                return Err(Failure::Internal("a profile changed within a transaction".into()));
            }
            Ok(after)
        })
        .await?;
    Ok(answer(StatusCode::OK, profile))
}

/// 204 also when it is not there. Clients that refer to the profile lose what they say about it.
async fn delete_profile<P: Profile>(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            store::delete(tx, &tenant, P::KIND, &id)?;
            Ok::<_, Failure>(references::forget(tx, &tenant, P::KIND.into(), &id, now)?)
        })
        .await?;
    Ok(no_content())
}

async fn list_templates<P: Profile>() -> Response {
    let name = format!("{}_templates", P::KIND.as_str());
    let templates = Object::from_iter([(name, Value::Array(P::templates()))]);
    answer(StatusCode::OK, templates)
}

async fn get_template<P: Profile>(Path(id): Path<String>) -> ApiResult {
    let template = P::templates().into_iter().find(|template| template["id"] == id.as_str());
    let template = template.ok_or_else(|| ApiError::new(404, "The template does not exist"))?;
    Ok(json(StatusCode::OK, template.to_string()))
}
