"""What the tests share: the SDK's clients for the server in the environment, and objects that clean up after
themselves."""

import os
from uuid import uuid4

import pytest
from auth0.authentication import GetToken
from auth0.management import ManagementClient

DOMAIN = os.environ["AUTH0_DOMAIN"]
MANAGEMENT_AUDIENCE = f"https://{DOMAIN}/api/v2/"
ADMIN = {"client_id": os.environ["AUTH0_CLIENT_ID"], "client_secret": os.environ["AUTH0_CLIENT_SECRET"]}


def management(client_id=ADMIN["client_id"], client_secret=ADMIN["client_secret"]):
    """A management client that fetches its own token, as the administrator unless told otherwise."""
    return ManagementClient(domain=DOMAIN, client_id=client_id, client_secret=client_secret)


def get_token(client_id, client_secret):
    """The SDK's authentication client for the token endpoint."""
    return GetToken(DOMAIN, client_id, client_secret=client_secret)


@pytest.fixture(scope="session")
def auth0():
    return management()


@pytest.fixture
def create_machine(auth0):
    """Makes machine-to-machine clients that are deleted when the test ends."""
    made = []

    def create(**settings):
        defaults = {"name": "Machine", "app_type": "non_interactive", "grant_types": ["client_credentials"]}
        made.append(auth0.clients.create(**{**defaults, **settings}))
        return made[-1]

    yield create
    for client in made:
        auth0.clients.delete(client.client_id)


@pytest.fixture
def create_api(auth0):
    """Makes APIs that are deleted when the test ends."""
    made = []

    def create():
        made.append(
            auth0.resource_servers.create(
                name="Orders",
                identifier=f"https://orders.example/{uuid4()}",
                scopes=[
                    {"value": "read:orders", "description": "Read orders"},
                    {"value": "write:orders", "description": "Write orders"},
                ],
                token_lifetime=600,
            )
        )
        return made[-1]

    yield create
    for api in made:
        auth0.resource_servers.delete(api.id)
