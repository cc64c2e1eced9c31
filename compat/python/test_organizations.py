import pytest
from auth0.management import NotFoundError


@pytest.fixture
def create_connection(auth0):
    """Makes connections to an identity provider that are deleted when the test ends."""
    made = []

    def create(name):
        options = {
            "type": "back_channel",
            "client_id": "tenant",
            "client_secret": "known to the provider",
            "issuer": "https://idp.example/",
            "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token",
            "jwks_uri": "https://idp.example/keys",
        }
        made.append(auth0.connections.create(name=name, strategy="oidc", options=options))
        return made[-1]

    yield create
    for connection in made:
        auth0.connections.delete(connection.id)


def test_a_connection_is_read_updated_listed_and_enabled_for_a_client(auth0, create_connection, create_machine):
    connection_id, client_id = create_connection("python-corporate").id, create_machine().client_id
    auth0.connections.update(connection_id, display_name="Head Office", show_as_button=True)
    read = auth0.connections.get(connection_id)
    assert (read.display_name, read.options["issuer"]) == ("Head Office", "https://idp.example/")
    assert connection_id in [connection.id for connection in auth0.connections.list(strategy=["oidc"])]

    def enabled():
        return [client.client_id for client in auth0.connections.clients.get(connection_id)]

    auth0.connections.clients.update(connection_id, request=[{"client_id": client_id, "status": True}])
    assert enabled() == [client_id]
    assert connection_id in [connection.id for connection in auth0.clients.connections.get(client_id)]
    auth0.connections.clients.update(connection_id, request=[{"client_id": client_id, "status": False}])
    assert enabled() == []


def test_an_organization_has_connections_and_client_grants_until_they_are_deleted(
    auth0, create_connection, create_machine, create_api
):
    organizations = auth0.organizations
    organization_id = organizations.create(name="python-acme", display_name="ACME").id
    organizations.update(organization_id, metadata={"tier": "gold"})
    assert organizations.get_by_name("python-acme").metadata == {"tier": "gold"}

    connection_id = create_connection("python-members").id
    enabled = organizations.enabled_connections
    enabled.add(organization_id, connection_id=connection_id, assign_membership_on_login=True)
    [connection] = enabled.list(organization_id)
    assert (connection.connection.name, connection.assign_membership_on_login) == ("python-members", True)

    grant = auth0.client_grants.create(
        client_id=create_machine().client_id,
        audience=create_api().identifier,
        scope=[],
        organization_usage="allow",
        allow_any_organization=False,
    )
    organizations.client_grants.create(organization_id, grant_id=grant.id)
    assert [one.id for one in organizations.client_grants.list(organization_id)] == [grant.id]
    auth0.client_grants.delete(grant.id)
    assert list(organizations.client_grants.list(organization_id)) == []

    enabled.delete(organization_id, connection_id)
    with pytest.raises(NotFoundError):
        enabled.get(organization_id, connection_id)
    organizations.delete(organization_id)
    with pytest.raises(NotFoundError):
        organizations.get(organization_id)


def test_the_settings_of_the_tenant_are_changed(auth0):
    settings = auth0.tenants.settings
    before = settings.get()
    settings.update(friendly_name="Python", flags={"revoke_refresh_token_grant": True})
    after = settings.get()
    assert (after.friendly_name, after.flags.revoke_refresh_token_grant) == ("Python", True)
    assert after.session_lifetime == before.session_lifetime
