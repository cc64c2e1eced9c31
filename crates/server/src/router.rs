//! The one list of slices.

use crate::app::App;
use crate::http::{ApiRoute, Failure, Slice, Traffic};
use crate::{
    audit, client_grants, clients, connections, credentials, discovery, keys, openapi, operations,
    organizations, profiles, registration, resource_servers, settings, tenant_settings, tokens,
};
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, header};
use tenantry_types::ApiError;
use tower_http::cors::{Any, CorsLayer};

/// Every route of the Management API.
pub(crate) fn api_routes(app: &App) -> Vec<ApiRoute> {
    let slices: &[fn(&App) -> Slice<'_>] = &[
        clients::routes,
        credentials::routes,
        client_grants::routes,
        resource_servers::routes,
        connections::routes,
        organizations::routes,
        profiles::routes,
        tenant_settings::routes,
        settings::routes,
        keys::routes,
        registration::routes,
        audit::routes,
    ];
    let mut routes: Vec<_> = slices.iter().flat_map(|slice| slice(app).routes).collect();
    let rest = operations::routes(app, &routes).routes;
    routes.extend(rest);
    routes
}

/// Every other route: what programs and browsers call without a token of the Management API.
const PROTOCOL_ROUTES: [(Method, &str); 6] = [
    (Method::POST, "/oauth/token"),
    (Method::POST, "/oidc/register"),
    (Method::GET, "/.well-known/openid-configuration"),
    (Method::GET, "/.well-known/oauth-authorization-server"),
    (Method::GET, "/.well-known/jwks.json"),
    (Method::GET, openapi::PATH),
];

/// The public API, and what its requests are counted under.
pub(crate) fn router(app: &App) -> (Router, Traffic) {
    let operations = api_routes(app);
    // Browsers ask for tokens and keys from other origins. No credentials come along, so any origin will do.
    let cors = CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::POST]).allow_headers([
        header::CONTENT_TYPE,
        header::AUTHORIZATION,
        "auth0-client".parse().expect("a header name"),
    ]);
    let protocol = Router::new()
        .merge(discovery::routes())
        .merge(tokens::routes())
        .merge(registration::protocol_routes())
        .merge(openapi::routes(&operations))
        .layer(cors);
    let counted = operations.iter().map(|route| (route.method.clone(), route.path));
    let traffic = Traffic::new(PROTOCOL_ROUTES.into_iter().chain(counted), app.limiter.as_ref());
    let api =
        operations.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.router));
    let router = Router::new()
        .merge(protocol)
        .merge(api)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app.clone());
    (router, traffic)
}

async fn not_found() -> Failure {
    ApiError::new(404, "Not Found").into()
}

/// A path that exists, but not for this method, does not exist (as in Auth0); `OPTIONS` tells what does.
async fn wrong_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    not_found().await.into_response()
}
