package compat

import (
	"slices"
	"testing"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/management"
)

// createConnection makes a connection to an identity provider, until the test ends.
func createConnection(t *testing.T, name string) *management.Connection {
	t.Helper()
	api := manage(t)
	connection := &management.Connection{
		Name:     &name,
		Strategy: auth0.String("oidc"),
		Options: &management.ConnectionOptionsOIDC{
			Type:                  auth0.String("back_channel"),
			ClientID:              auth0.String("tenant"),
			ClientSecret:          auth0.String("known to the provider"),
			Issuer:                auth0.String("https://idp.example/"),
			AuthorizationEndpoint: auth0.String("https://idp.example/authorize"),
			TokenEndpoint:         auth0.String("https://idp.example/token"),
			JWKSURI:               auth0.String("https://idp.example/keys"),
			Scope:                 auth0.String("openid profile"),
		},
	}
	must(t, api.Connection.Create(ctx, connection))
	t.Cleanup(func() { must(t, api.Connection.Delete(ctx, connection.GetID())) })
	return connection
}

func createOrganization(t *testing.T, name string) *management.Organization {
	t.Helper()
	api := manage(t)
	organization := &management.Organization{Name: &name, DisplayName: auth0.String("An organization")}
	must(t, api.Organization.Create(ctx, organization))
	t.Cleanup(func() { must(t, api.Organization.Delete(ctx, organization.GetID())) })
	return organization
}

func TestAConnectionIsReadUpdatedListedAndEnabledForAClient(t *testing.T) {
	api := manage(t)
	connection, client := createConnection(t, "go-corporate"), createMachine(t, &management.Client{})
	id := connection.GetID()

	byName, err := api.Connection.ReadByName(ctx, "go-corporate")
	must(t, err)
	if byName.GetID() != id {
		t.Errorf("by name %v", byName)
	}
	read, err := api.Connection.Read(ctx, id)
	must(t, err)
	options, isOIDC := read.Options.(*management.ConnectionOptionsOIDC)
	if !isOIDC || options.GetIssuer() != "https://idp.example/" || options.GetScope() != "openid profile" {
		t.Fatalf("options %v", read.Options)
	}

	options.Scope = auth0.String("openid email")
	must(t, api.Connection.Update(ctx, id, &management.Connection{
		DisplayName: auth0.String("Head Office"), ShowAsButton: auth0.Bool(true), Options: options,
	}))
	read, err = api.Connection.Read(ctx, id)
	must(t, err)
	options, isOIDC = read.Options.(*management.ConnectionOptionsOIDC)
	if read.GetDisplayName() != "Head Office" || !isOIDC || options.GetScope() != "openid email" {
		t.Errorf("read %v", read)
	}

	set := func(status bool) {
		enabled := []management.ConnectionEnabledClient{{ClientID: client.ClientID, Status: &status}}
		must(t, api.Connection.UpdateEnabledClients(ctx, id, enabled))
	}
	enabled := func() bool {
		list, err := api.Connection.ReadEnabledClients(ctx, id)
		must(t, err)
		return slices.ContainsFunc(list.GetClients(), func(one management.ConnectionEnabledClient) bool {
			return one.GetClientID() == client.GetClientID()
		})
	}
	set(true)
	if !enabled() {
		t.Error("not enabled")
	}
	set(false)
	if enabled() {
		t.Error("still enabled")
	}

	list, err := api.Connection.List(ctx, management.Parameter("strategy", "oidc"), management.Take(100))
	must(t, err)
	if !slices.ContainsFunc(list.Connections, func(one *management.Connection) bool { return one.GetID() == id }) {
		t.Error("not listed")
	}
}

func TestAnOrganizationHasConnectionsAndClientGrantsUntilTheyAreDeleted(t *testing.T) {
	api := manage(t)
	connection, organization := createConnection(t, "go-members"), createOrganization(t, "go-acme")
	id := organization.GetID()

	must(t, api.Organization.Update(ctx, id, &management.Organization{Metadata: &map[string]string{"tier": "gold"}}))
	read, err := api.Organization.ReadByName(ctx, "go-acme")
	must(t, err)
	if read.GetID() != id || read.GetMetadata()["tier"] != "gold" || read.GetDisplayName() != "An organization" {
		t.Errorf("read %v", read)
	}

	must(t, api.Organization.AddConnection(ctx, id, &management.OrganizationConnection{ConnectionID: connection.ID}))
	must(t, api.Organization.UpdateConnection(ctx, id, connection.GetID(), &management.OrganizationConnection{
		AssignMembershipOnLogin: auth0.Bool(true),
	}))
	connections, err := api.Organization.Connections(ctx, id)
	must(t, err)
	enabled := connections.OrganizationConnections
	if len(enabled) != 1 || !enabled[0].GetAssignMembershipOnLogin() ||
		enabled[0].GetConnection().GetName() != "go-members" {
		t.Errorf("connections %v", connections)
	}

	server := &management.ResourceServer{
		Name: auth0.String("Meetings"), Identifier: auth0.String("https://meetings.example/go"),
	}
	must(t, api.ResourceServer.Create(ctx, server))
	t.Cleanup(func() { must(t, api.ResourceServer.Delete(ctx, server.GetID())) })
	machine := createMachine(t, &management.Client{})
	grant := &management.ClientGrant{
		ClientID: machine.ClientID, Audience: server.Identifier, Scope: &[]string{},
		OrganizationUsage: auth0.String("allow"), AllowAnyOrganization: auth0.Bool(false),
	}
	must(t, api.ClientGrant.Create(ctx, grant))
	must(t, api.Organization.AssociateClientGrant(ctx, id, grant.GetID()))
	grants, err := api.Organization.ClientGrants(ctx, id)
	must(t, err)
	if len(grants.ClientGrants) != 1 || grants.ClientGrants[0].GetID() != grant.GetID() {
		t.Errorf("grants %v", grants)
	}

	must(t, api.ClientGrant.Delete(ctx, grant.GetID()))
	grants, err = api.Organization.ClientGrants(ctx, id)
	must(t, err)
	if len(grants.ClientGrants) != 0 {
		t.Errorf("grants %v", grants)
	}
	must(t, api.Organization.DeleteConnection(ctx, id, connection.GetID()))
	_, err = api.Organization.Connection(ctx, id, connection.GetID())
	assertStatus(t, err, 404)
}

func TestTheSettingsOfTheTenantAreChanged(t *testing.T) {
	api := manage(t)
	before, err := api.Tenant.Read(ctx)
	must(t, err)
	must(t, api.Tenant.Update(ctx, &management.Tenant{
		FriendlyName: auth0.String("Go"),
		SupportEmail: auth0.String("go@shop.example"),
		Flags:        &management.TenantFlags{RevokeRefreshTokenGrant: auth0.Bool(true)},
	}))
	after, err := api.Tenant.Read(ctx)
	must(t, err)
	if after.GetFriendlyName() != "Go" || after.GetSupportEmail() != "go@shop.example" ||
		!after.GetFlags().GetRevokeRefreshTokenGrant() {
		t.Errorf("read %v", after)
	}
	if after.GetSessionLifetime() != before.GetSessionLifetime() {
		t.Error("something else changed")
	}
}
