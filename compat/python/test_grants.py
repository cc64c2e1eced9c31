import pytest
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier
from auth0.management import NotFoundError
from conftest import DOMAIN, get_token


def test_an_api_is_created_read_by_id_and_by_identifier_updated_listed_and_deleted(auth0):
    apis = auth0.resource_servers
    created = apis.create(
        name="Invoices",
        identifier="https://invoices.example/v1",
        scopes=[{"value": "read:invoices", "description": "Read invoices"}],
    )
    assert created.identifier == "https://invoices.example/v1"
    assert [(scope.value, scope.description) for scope in created.scopes] == [("read:invoices", "Read invoices")]
    assert apis.get(created.id).name == "Invoices"
    assert apis.get(created.identifier).id == created.id

    apis.update(created.id, name="Bills", token_lifetime=43200)
    read = apis.with_raw_response.get(created.id)
    assert (read.status_code, read.data.name, read.data.token_lifetime) == (200, "Bills", 43200)

    def listed():
        return [api.id for api in apis.list(identifiers=created.identifier)]

    assert listed() == [created.id]
    assert apis.with_raw_response.delete(created.id).status_code == 204
    assert listed() == []
    with pytest.raises(NotFoundError):
        apis.get(created.id)


def test_a_client_grant_is_created_read_updated_listed_and_deleted(auth0, create_api, create_machine):
    grants, api, client = auth0.client_grants, create_api(), create_machine()
    response = grants.with_raw_response.create(
        client_id=client.client_id, audience=api.identifier, scope=["read:orders"]
    )
    created = response.data
    assert response.status_code == 201
    assert created.id.startswith("cgr_")
    assert grants.get(created.id).scope == ["read:orders"]

    grants.update(created.id, scope=["read:orders", "write:orders"])
    [grant] = grants.list(client_id=client.client_id)
    assert (grant.id, grant.audience) == (created.id, api.identifier)
    assert grant.scope == ["read:orders", "write:orders"]

    assert grants.with_raw_response.delete(created.id).status_code == 204
    assert list(grants.list(client_id=client.client_id)) == []
    with pytest.raises(NotFoundError):
        grants.get(created.id)


def test_a_new_client_gets_a_token_for_exactly_the_api_and_the_scopes_of_its_grant(auth0, create_api, create_machine):
    api, client = create_api(), create_machine()
    tokens = get_token(client.client_id, client.client_secret)

    def assert_refused(audience):
        with pytest.raises(Auth0Error) as refused:
            tokens.client_credentials(audience)
        assert (refused.value.status_code, refused.value.error_code) == (403, "access_denied")

    assert_refused(api.identifier)
    auth0.client_grants.create(client_id=client.client_id, audience=api.identifier, scope=["read:orders"])
    answer = tokens.client_credentials(api.identifier)
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 600, "scope": "read:orders"}

    claims = AsymmetricSignatureVerifier(f"https://{DOMAIN}/.well-known/jwks.json").verify_signature(token)
    assert claims.pop("exp") - claims.pop("iat") == 600
    assert claims == {
        "iss": f"https://{DOMAIN}/",
        "sub": f"{client.client_id}@clients",
        "aud": api.identifier,
        "scope": "read:orders",
        "gty": "client-credentials",
        "azp": client.client_id,
    }
    assert_refused("https://unknown.example/")
