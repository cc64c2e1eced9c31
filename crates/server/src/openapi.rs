//! The description of the API, as `OpenAPI` 3.1: what this server takes, made from the routes and from the very schemas
//! that requests are checked by.

use crate::app::App;
use crate::discovery::Published;
use crate::http::{ApiRoute, RouteInput, State as RouteState};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};
use tenantry_types::Scope;
use tenantry_types::schema::Schema;

/// Where the description is. Anybody may read it.
pub(crate) const PATH: &str = "/openapi.json";

/// The one way to a token.
const SCHEME: &str = "client_credentials";

/// An operation, as far as it is described.
struct Operation {
    method: Method,
    path: &'static str,
    scopes: &'static [Scope],
    state: RouteState,
    input: RouteInput,
}

/// The route of the description of `routes`, apart from those that are not served. It is made when it is asked for first.
pub(crate) fn routes(routes: &[ApiRoute]) -> Router<App> {
    let served = routes.iter().filter(|route| route.state != RouteState::NotServed);
    let operations = served.map(|route| Operation {
        method: route.method.clone(),
        path: route.path,
        scopes: route.scopes,
        state: route.state,
        input: route.input,
    });
    let operations: Arc<[_]> = operations.collect();
    let published = Arc::new(OnceLock::new());
    let answer = async move |State(app): State<App>, headers: HeaderMap| -> Response {
        let describe = || Published::new(describe(&app, &operations).to_string().into());
        published.get_or_init(describe).answer(&headers)
    };
    Router::new().route(PATH, get(answer))
}

fn describe(app: &App, operations: &[Operation]) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = operation.describe();
    }
    let scopes = operations.iter().flat_map(|operation| operation.scopes);
    let scopes: Map<_, _> = scopes.map(|scope| (scope.to_string(), Value::from(""))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Management API",
            "description": "What this server takes. Operations that are not described are answered with 404 or 501.",
            "version": "2",
        },
        "servers": [{"url": app.issuer().trim_end_matches('/')}],
        "paths": paths,
        "components": {
            "schemas": {"Error": {
                "type": "object",
                "properties": {
                    "statusCode": {"type": "integer"},
                    "error": {"type": "string"},
                    "message": {"type": "string"},
                    "errorCode": {"type": "string"},
                },
                "required": ["statusCode", "error", "message"],
            }},
            "responses": {"Error": {
                "description": "Refused, and nothing was changed.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }},
            "securitySchemes": {SCHEME: {
                "type": "oauth2",
                "flows": {"clientCredentials": {
                    "tokenUrl": format!("{}oauth/token", app.issuer()),
                    "scopes": scopes,
                }},
            }},
        },
    })
}

impl Operation {
    fn describe(&self) -> Value {
        let names = |scopes: &[Scope]| -> Vec<_> { scopes.iter().map(ToString::to_string).collect() };
        // Any one of the scopes will do, unless the handler says more.
        let security: Vec<_> = match self.input.scope_sets {
            Some(sets) => sets.iter().map(|set| json!({SCHEME: names(set)})).collect(),
            None => self.scopes.iter().map(|scope| json!({SCHEME: names(&[*scope])})).collect(),
        };
        let mut described = json!({
            "operationId": self.id(),
            "tags": [self.segments().next().unwrap_or_default()],
            "parameters": self.parameters(),
            "security": security,
            "responses": {
                "2XX": {"description": "Done.", "content": {"application/json": {}}},
                "4XX": {"$ref": "#/components/responses/Error"},
            },
            "x-state": self.state.as_str(),
        });
        if let Some(schema) = self.input.body {
            described["requestBody"] = json!({
                "required": !self.input.is_body_optional,
                "content": {"application/json": {"schema": schema.to_json_schema()}},
            });
        }
        described
    }

    /// The parts of the path behind what all have in common.
    fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').skip(3)
    }

    /// `get_clients_id_credentials` of `GET /api/v2/clients/{id}/credentials`.
    fn id(&self) -> String {
        let method = self.method.as_str().to_ascii_lowercase();
        self.segments().fold(method, |id, segment| {
            let segment = segment.trim_matches(['{', '}']).replace('-', "_");
            format!("{id}_{segment}")
        })
    }

    fn parameters(&self) -> Vec<Value> {
        let in_path = self.segments().filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        let in_path = in_path.map(
            |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}),
        );
        let in_query = self.input.query.into_iter().flat_map(Schema::members).map(|member| {
            let schema = member.schema().to_json_schema();
            json!({"name": member.name(), "in": "query", "required": member.is_required(), "schema": schema})
        });
        in_path.chain(in_query).collect()
    }
}
