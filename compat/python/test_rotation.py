"""A client gets a new key, or new secrets, while it keeps asking for tokens: no request may fail."""

import random
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from auth0.authentication import GetToken
from auth0.authentication.exceptions import Auth0Error
from auth0.management import ManagementClient
from conftest import DOMAIN, MANAGEMENT_AUDIENCE, get_token
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def new_key():
    """A private key and its public key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.fixture
def create_reader(auth0, create_machine):
    """Makes machine-to-machine clients that may read clients."""

    def create(**settings):
        client = create_machine(**settings)
        auth0.client_grants.create(
            client_id=client.client_id, audience=MANAGEMENT_AUDIENCE, scope=["read:clients"]
        )
        return client

    return create


@pytest.fixture
def create_key_reader(create_reader):
    """Makes readers that authenticate by a key."""

    def create(public):
        credential = {"credential_type": "public_key", "name": "first", "pem": public}
        return create_reader(
            jwt_configuration={"alg": "RS256"},
            client_authentication_methods={"private_key_jwt": {"credentials": [credential]}},
        )

    return create


def ask(client_id, private=None, secret=None):
    """Asks for a token, by a key or by a secret."""
    tokens = GetToken(DOMAIN, client_id, client_assertion_signing_key=private, client_secret=secret)
    return tokens.client_credentials(MANAGEMENT_AUDIENCE)


def assert_refused(client_id, error, **proof):
    with pytest.raises(Auth0Error) as refused:
        ask(client_id, **proof)
    assert (refused.value.status_code, refused.value.error_code) == (401, error)


def test_a_client_with_a_public_key_authenticates_by_assertions(create_key_reader):
    private, public = new_key()
    client = create_key_reader(public)
    client_id = client.client_id
    assert client.client_secret is None
    [credential] = client.client_authentication_methods.private_key_jwt.credentials
    assert credential.id.startswith("cred_")
    assert ask(client_id, private)["scope"] == "read:clients"

    # The management client itself takes a secret or a function that gets tokens.
    own = ManagementClient(domain=DOMAIN, token=lambda: ask(client_id, private)["access_token"])
    assert own.clients.get(client_id).name == "Machine"
    assert_refused(client_id, "invalid_client", private=new_key()[0])


def test_a_client_changes_its_key_during_a_hundred_token_requests_and_none_of_them_fails(auth0, create_key_reader):
    one, two = new_key(), new_key()
    client = create_key_reader(one[1])
    client_id = client.client_id
    first = client.client_authentication_methods.private_key_jwt.credentials[0].id

    def enable(*ids):
        credentials = [{"id": id} for id in ids]
        methods = {"private_key_jwt": {"credentials": credentials}}
        auth0.clients.update(client_id, client_authentication_methods=methods)

    signing = [one[0]]
    with ThreadPoolExecutor(4) as pool:
        requests = [pool.submit(lambda: ask(client_id, signing[0])) for _ in range(100)]
        wait(requests[:20])
        second = auth0.clients.credentials.create(
            client_id, credential_type="public_key", name="second", pem=two[1]
        ).id
        wait(requests[:30])
        enable(first, second)
        wait(requests[:50])
        signing[0] = two[0]
        # These may be signed by the first key still.
        wait([request for request in requests if request.running()])
        enable(second)
        wait(requests[:70])
        auth0.clients.credentials.delete(client_id, first)
        assert not requests[-1].done(), "the first key went while requests were sent"
    assert [request.exception() for request in requests] == [None] * 100

    assert_refused(client_id, "invalid_client", private=one[0])
    assert [credential.id for credential in auth0.clients.credentials.list(client_id)] == [second]


def test_a_secret_is_rotated_ten_times_with_grace_periods_and_nobody_who_learns_of_it_late_is_refused(
    auth0, create_reader
):
    client = create_reader()
    client_id = client.client_id
    secrets = [client.client_secret]
    is_over = False

    def work():
        """Asks with the newest secret that it knows; of each it hears up to 300 ms late."""
        requests = 0
        while not is_over:
            known = secrets[-1]
            until = time.monotonic() + random.uniform(0, 0.3)
            while time.monotonic() < until:
                ask(client_id, secret=known)
                requests += 1
        return requests

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work) for _ in range(3)]
        for grace in [1] * 9 + [2]:
            asked = time.time()
            body = {"grace_period_seconds": grace}
            options = {"additional_body_parameters": body, "max_retries": 0}
            secrets.append(auth0.clients.rotate_secret(client_id, request_options=options).client_secret)
            time.sleep(0.12)
        time.sleep(0.3)
        is_over = True
    assert sum(worker.result() for worker in workers) >= 10, "at least one for each secret"

    def is_accepted(secret):
        try:
            return bool(get_token(client_id, secret).client_credentials(MANAGEMENT_AUDIENCE))
        except Auth0Error as error:
            assert error.status_code == 401
            return False

    assert is_accepted(secrets[-2]), "its grace period has not passed"
    end = asked + 2
    while is_accepted(secrets[-2]):
        assert time.time() < end + 1, "refused within a second of the end of the grace period"
        time.sleep(0.05)
    assert time.time() >= end, "not refused before the end of the grace period"
    assert is_accepted(secrets[-1])
