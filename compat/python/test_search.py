import pytest
from auth0.management import BadRequestError


@pytest.fixture
def fruits(create_machine):
    """Three clients that no other test's search finds."""
    return {
        name: create_machine(name=f"Fruit {name}", client_metadata={"basket": basket}).client_id
        for name, basket in [("pear", "one"), ("apple", "two"), ("plum", "one")]
    }


def ids(found):
    return [client.client_id for client in found]


@pytest.mark.parametrize(
    ("parser", "query"),
    [
        ("scim", 'name sw "Fruit" and metadata.basket eq "one"'),
        ("lucene", "name:Fruit* AND metadata.basket:one"),
    ],
)
def test_clients_are_found_in_either_language(auth0, fruits, parser, query):
    found = list(auth0.clients.search(q=query, parser=parser))
    assert ids(found) == [fruits["pear"], fruits["plum"]]
    assert [client.name for client in found] == ["Fruit pear", "Fruit plum"]
    assert all(getattr(client, "client_secret", None) is None for client in found)


def test_the_iterator_walks_what_was_found_from_cursor_to_cursor(auth0, fruits):
    pages = auth0.clients.search(q='name sw "Fruit"', parser="scim", sort="name", take=2)
    assert len(pages.response.clients) == 2
    assert ids(pages) == [fruits["apple"], fruits["pear"], fruits["plum"]]


def test_a_query_that_is_not_one_is_a_bad_request_error(auth0):
    with pytest.raises(BadRequestError):
        auth0.clients.search(q="name equals nothing", parser="scim")
