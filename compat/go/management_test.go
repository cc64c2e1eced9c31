package compat

import (
	"slices"
	"strings"
	"testing"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/authentication"
	"github.com/auth0/go-auth0/management"
)

func TestAClientIsCreatedReadListedUpdatedGivenANewSecretAndDeleted(t *testing.T) {
	api := manage(t)
	client := &management.Client{
		Name:           auth0.String("Shop"),
		Description:    auth0.String("Sells things"),
		AppType:        auth0.String("regular_web"),
		Callbacks:      &[]string{"https://shop.example/callback"},
		ClientMetadata: &map[string]any{"team": "checkout"},
	}
	must(t, api.Client.Create(ctx, client))
	id, secret := client.GetClientID(), client.GetClientSecret()
	if len(id) != 32 || len(secret) != 64 {
		t.Errorf("client id %q, client secret %q", id, secret)
	}

	read, err := api.Client.Read(ctx, id)
	must(t, err)
	if read.GetClientSecret() != secret || read.GetClientMetadata()["team"] != "checkout" {
		t.Errorf("read %v", read)
	}
	list, err := api.Client.List(ctx, management.Parameter("app_type", "regular_web"), management.PerPage(100))
	must(t, err)
	isSame := func(one *management.Client) bool { return one.GetClientID() == id }
	if list.Total != len(list.Clients) || !slices.ContainsFunc(list.Clients, isSame) {
		t.Errorf("listed %d of %d", len(list.Clients), list.Total)
	}

	must(t, api.Client.Update(ctx, id, &management.Client{Name: auth0.String("Shop 2"), Callbacks: &[]string{}}))
	read, err = api.Client.Read(ctx, id)
	must(t, err)
	if read.GetName() != "Shop 2" || read.GetDescription() != "Sells things" || len(read.GetCallbacks()) != 0 {
		t.Errorf("read %v", read)
	}

	rotated, err := api.Client.RotateSecret(ctx, id)
	must(t, err)
	if rotated.GetClientID() != id || rotated.GetClientSecret() == secret || len(rotated.GetClientSecret()) != 64 {
		t.Errorf("rotated to %v", rotated)
	}

	must(t, api.Client.Delete(ctx, id))
	_, err = api.Client.Read(ctx, id)
	assertStatus(t, err, 404)
}

func TestClientsAreListedFromCheckpointToCheckpoint(t *testing.T) {
	api := manage(t)
	var made, listed []string
	for range 3 {
		made = append(made, createMachine(t, &management.Client{}).GetClientID())
	}
	var next string
	for {
		options := []management.RequestOption{management.Take(2)}
		if next != "" {
			options = append(options, management.From(next))
		}
		page, err := api.Client.ListWithCheckpointPagination(ctx, options...)
		must(t, err)
		for _, client := range page.Clients {
			listed = append(listed, client.GetClientID())
		}
		if next = page.Next; !page.HasNext() {
			break
		}
	}
	for _, id := range made {
		if !slices.Contains(listed, id) {
			t.Errorf("%s is not listed", id)
		}
	}
}

func TestAnAPIAndAClientGrantAreCreatedListedAndDeleted(t *testing.T) {
	api := manage(t)
	server := &management.ResourceServer{
		Name:       auth0.String("Invoices"),
		Identifier: auth0.String("https://invoices.example/go"),
		Scopes: &[]management.ResourceServerScope{
			{Value: auth0.String("read:invoices"), Description: auth0.String("Read invoices")},
		},
	}
	must(t, api.ResourceServer.Create(ctx, server))
	identifier := management.Parameter("identifiers", server.GetIdentifier())
	servers, err := api.ResourceServer.List(ctx, identifier)
	must(t, err)
	if len(servers.ResourceServers) != 1 || servers.ResourceServers[0].GetID() != server.GetID() {
		t.Errorf("listed %v", servers)
	}

	machine := createMachine(t, &management.Client{})
	grant := &management.ClientGrant{
		ClientID: machine.ClientID, Audience: server.Identifier, Scope: &[]string{"read:invoices"},
	}
	must(t, api.ClientGrant.Create(ctx, grant))
	if !strings.HasPrefix(grant.GetID(), "cgr_") {
		t.Errorf("grant id %q", grant.GetID())
	}
	audience := management.Parameter("audience", server.GetIdentifier())
	grants, err := api.ClientGrant.List(ctx, audience)
	must(t, err)
	if len(grants.ClientGrants) != 1 || grants.ClientGrants[0].GetID() != grant.GetID() {
		t.Errorf("listed %v", grants)
	}

	must(t, api.ClientGrant.Delete(ctx, grant.GetID()))
	grants, err = api.ClientGrant.List(ctx, audience)
	must(t, err)
	if len(grants.ClientGrants) != 0 {
		t.Errorf("listed %v", grants)
	}
	must(t, api.ResourceServer.Delete(ctx, server.GetID()))
	_, err = api.ResourceServer.Read(ctx, server.GetID())
	assertStatus(t, err, 404)
}

func TestErrorsHaveTheStatusAndTheMessageOfTheAnswer(t *testing.T) {
	api := manage(t)
	_, err := api.Client.Read(ctx, "nobody")
	assertStatus(t, err, 404)
	if err != nil && !strings.HasPrefix(err.Error(), "404 Not Found: ") {
		t.Error(err)
	}
	assertStatus(t, api.Client.Update(ctx, "nobody", &management.Client{Name: auth0.String("X")}), 404)
	_, err = api.Client.RotateSecret(ctx, "nobody")
	assertStatus(t, err, 404)
	assertStatus(t, api.Client.Create(ctx, &management.Client{Name: auth0.String("")}), 400)

	machine := createMachine(t, &management.Client{})
	reader := manage(t, management.WithClientCredentials(ctx, machine.GetClientID(), machine.GetClientSecret()))
	assertStatus(t, reader.Client.Create(ctx, &management.Client{Name: auth0.String("X")}), 403)
	_, err = asker(t, machine.GetClientID(), authentication.WithClientSecret("not the secret"))()
	assertRefused(t, err, "access_denied")
}
