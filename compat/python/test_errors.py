import base64
import json
from contextlib import contextmanager

import httpx
import pytest
from auth0.authentication.exceptions import Auth0Error
from auth0.management import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    ManagementClient,
    NotFoundError,
    UnauthorizedError,
)
from conftest import ADMIN, DOMAIN, MANAGEMENT_AUDIENCE, get_token, management


@contextmanager
def fails(error_class, status, code):
    """The call fails with that class of the SDK, and the body says the same as the status."""
    with pytest.raises(error_class) as failure:
        yield
    error = failure.value
    assert (error.status_code, error.body["statusCode"], error.body.get("errorCode")) == (status, status, code)
    assert error.body["message"]


def test_an_unknown_client_is_a_not_found_error(auth0):
    with fails(NotFoundError, 404, "inexistent_client"):
        auth0.clients.get("nobody")
    with fails(NotFoundError, 404, "inexistent_client"):
        auth0.clients.with_raw_response.update("nobody", name="X")
    with fails(NotFoundError, 404, "inexistent_client"):
        auth0.clients.rotate_secret("nobody")


def test_a_bad_body_is_a_bad_request_error(auth0):
    with fails(BadRequestError, 400, "invalid_body"):
        auth0.clients.create(name="")
    with fails(BadRequestError, 400, "invalid_body"):
        auth0.clients.create(name="X", request_options={"additional_body_parameters": {"colour": "red"}})
    with fails(BadRequestError, 400, "invalid_body"):
        auth0.clients.create(name="X", grant_types=["theft"])


def test_a_bad_query_is_a_bad_request_error(auth0):
    with fails(BadRequestError, 400, "invalid_query_string"):
        auth0.clients.list(per_page=101)


def test_an_identifier_that_is_taken_is_a_conflict_error(auth0, create_api):
    # Unless told otherwise, the SDK tries again after a conflict.
    with fails(ConflictError, 409, "resource_server_conflict"):
        auth0.resource_servers.create(identifier=create_api().identifier, request_options={"max_retries": 0})


def test_a_token_without_the_scope_is_a_forbidden_error(auth0, create_machine):
    client = create_machine()
    auth0.client_grants.create(client_id=client.client_id, audience=MANAGEMENT_AUDIENCE, scope=["read:clients"])
    reader = management(client.client_id, client.client_secret)
    assert reader.clients.get(client.client_id).client_secret is None
    with fails(ForbiddenError, 403, "insufficient_scope"):
        reader.clients.create(name="X")


def test_a_token_that_the_server_did_not_sign_is_an_unauthorized_error():
    def part(document):
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    token = f'{part({"alg": "RS256", "typ": "JWT"})}.{part({"sub": "mallory"})}.{"A" * 342}'
    with fails(UnauthorizedError, 401, None):
        ManagementClient(domain=DOMAIN, token=token).clients.get("anything")


def test_a_wrong_secret_is_refused_by_the_management_client_and_by_the_authentication_client():
    with pytest.raises(httpx.HTTPStatusError) as refused:
        management(client_secret="not the secret").clients.list()
    assert refused.value.response.status_code == 401
    assert refused.value.response.json() == {"error": "access_denied", "error_description": "Unauthorized"}

    with pytest.raises(Auth0Error) as refused:
        get_token(ADMIN["client_id"], "not the secret").client_credentials(MANAGEMENT_AUDIENCE)
    assert (refused.value.status_code, refused.value.error_code) == (401, "access_denied")
    assert refused.value.message == "Unauthorized"
