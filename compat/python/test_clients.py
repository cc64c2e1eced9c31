import asyncio
import re

import httpx
import pytest
from auth0.management import AsyncManagementClient, NotFoundError
from conftest import ADMIN, DOMAIN, MANAGEMENT_AUDIENCE, management

SECRET = re.compile(r"[A-Za-z0-9_-]{64}")


def listed_ids(auth0):
    return [client.client_id for client in auth0.clients.list()]


def test_a_client_is_created_read_listed_updated_given_a_new_secret_and_deleted_by_the_typed_api(auth0):
    created = auth0.clients.create(
        name="Shop",
        description="Sells things",
        app_type="regular_web",
        callbacks=["https://shop.example/callback"],
        client_metadata={"team": "checkout", "floor": "3"},
    )
    assert (created.name, created.app_type) == ("Shop", "regular_web")
    assert created.callbacks == ["https://shop.example/callback"]
    assert re.fullmatch(r"[A-Za-z0-9]{32}", created.client_id)
    assert SECRET.fullmatch(created.client_secret)

    read = auth0.clients.get(created.client_id)
    assert read.client_secret == created.client_secret
    assert read.client_metadata == {"team": "checkout", "floor": "3"}
    named = auth0.clients.get(created.client_id, fields="name,app_type", include_fields=True)
    assert (named.name, named.app_type, named.callbacks) == ("Shop", "regular_web", None)
    assert created.client_id in listed_ids(auth0)

    updated = auth0.clients.update(
        created.client_id, name="Shop 2", callbacks=[], client_metadata={"team": None, "desk": "7"}
    )
    assert (updated.name, updated.description) == ("Shop 2", "Sells things")
    reread = auth0.clients.get(created.client_id)
    assert (reread.name, reread.callbacks) == ("Shop 2", [])
    assert reread.client_metadata == {"floor": "3", "desk": "7"}

    rotated = auth0.clients.rotate_secret(created.client_id)
    assert rotated.client_id == created.client_id
    assert SECRET.fullmatch(rotated.client_secret)
    assert rotated.client_secret != created.client_secret
    assert auth0.clients.get(created.client_id).client_secret == rotated.client_secret

    assert auth0.clients.delete(created.client_id) is None
    with pytest.raises(NotFoundError):
        auth0.clients.get(created.client_id)
    assert created.client_id not in listed_ids(auth0)


def test_a_client_is_created_read_listed_updated_given_a_new_secret_and_deleted_with_raw_responses(auth0):
    raw = auth0.clients.with_raw_response

    created = raw.create(name="Raw shop", app_type="spa")
    client_id = created.data.client_id
    assert created.status_code == 201
    assert created.headers["content-type"].startswith("application/json")

    read = raw.get(client_id)
    assert (read.status_code, read.data.name) == (200, "Raw shop")
    assert read.headers["content-type"].startswith("application/json")

    # The raw list has no status: it is the page, with the answer in `response`.
    listed = raw.list(app_type="spa", per_page=100).response
    assert set(listed.model_dump()) == {"clients", "limit", "start", "total"}
    assert client_id in [client.client_id for client in listed.clients]

    updated = raw.update(client_id, description="Changed")
    assert (updated.status_code, updated.data.description) == (200, "Changed")

    rotated = raw.rotate_secret(client_id)
    assert rotated.status_code == 200
    assert rotated.data.client_secret != created.data.client_secret

    assert raw.delete(client_id).status_code == 204
    with pytest.raises(NotFoundError):
        raw.get(client_id)


def test_the_asynchronous_client_does_the_same():
    async def run():
        clients = AsyncManagementClient(domain=DOMAIN, **ADMIN).clients
        created = await clients.create(name="Later")
        client_id = created.client_id
        assert client_id in [client.client_id async for client in await clients.list()]
        assert (await clients.update(client_id, name="Now")).name == "Now"
        assert (await clients.rotate_secret(client_id)).client_secret != created.client_secret
        assert (await clients.get(client_id)).name == "Now"
        assert (await clients.with_raw_response.delete(client_id)).status_code == 204
        with pytest.raises(NotFoundError):
            await clients.get(client_id)

    asyncio.run(run())


def test_after_a_rotation_the_old_secret_is_refused_and_the_new_one_works(auth0, create_machine):
    client = create_machine()
    client_id = client.client_id
    auth0.client_grants.create(client_id=client_id, audience=MANAGEMENT_AUDIENCE, scope=["read:clients"])

    def read_myself(secret):
        return management(client_id, secret).clients.get(client_id, fields="client_id").client_id

    assert read_myself(client.client_secret) == client_id
    rotated = auth0.clients.rotate_secret(client_id)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        read_myself(client.client_secret)
    assert refused.value.response.status_code == 401
    assert read_myself(rotated.client_secret) == client_id
