def test_the_iterator_walks_all_clients_page_by_page_in_the_order_of_their_creation(auth0, create_machine):
    # No other test makes clients of this type.
    ids = [create_machine(app_type="native").client_id for _ in range(5)]
    first = auth0.clients.list(app_type="native", per_page=2, include_totals=True)
    answer = first.response
    assert (answer.total, answer.start, answer.limit, len(answer.clients)) == (5, 0, 2, 2)
    assert [client.client_id for client in first] == ids

    second = first.next_page()
    assert second.response.start == 2
    assert [client.client_id for client in second.items] == ids[2:4]
    assert [len(page.items) for page in first.iter_pages()] == [2, 2, 1]


def test_the_iterator_walks_apis_page_by_page_filtered_by_several_identifiers(auth0, create_api):
    identifiers = [create_api().identifier for _ in range(5)][1:]
    page = auth0.resource_servers.list(identifiers=identifiers, per_page=3, include_totals=True)
    assert (page.response.total, len(page.items)) == (4, 3)
    assert [api.identifier for api in page] == identifiers


def test_the_iterator_walks_client_grants_from_checkpoint_to_checkpoint(auth0, create_api, create_machine):
    audience = create_api().identifier

    def grant():
        return auth0.client_grants.create(client_id=create_machine().client_id, audience=audience, scope=[])

    ids = sorted(grant().id for _ in range(5))
    first = auth0.client_grants.list(audience=audience, take=2)
    assert isinstance(first.response.next, str)
    pages = list(first.iter_pages())
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert sorted(item.id for item in first) == ids
    assert (pages[-1].has_next, pages[-1].response.next) == (False, None)

    whole = auth0.client_grants.list(audience=audience, take=5)
    assert (len(whole.items), whole.has_next) == (5, False)


def test_client_grants_come_with_their_total_when_no_checkpoint_is_asked_for(auth0, create_api, create_machine):
    audience, client_id = create_api().identifier, create_machine().client_id
    created = auth0.client_grants.create(client_id=client_id, audience=audience, scope=[])
    page = auth0.client_grants.list(audience=audience, take=None, include_totals=True)
    assert [grant.id for grant in page] == [created.id]
    assert page.response.total == 1
