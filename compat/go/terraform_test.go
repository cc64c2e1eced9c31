package compat

// The Terraform provider speaks through this SDK. These tests make the calls behind its resources: create and read,
// change and read, set to null what a configuration no longer has, read by id alone as an import does, delete. Its plan
// is empty when the answer has all that was written.

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/management"
)

// object is any JSON object.
type object = map[string]any

func asObject(t *testing.T, value any) object {
	t.Helper()
	encoded, err := json.Marshal(value)
	must(t, err)
	var members object
	must(t, json.Unmarshal(encoded, &members))
	return members
}

// assertSays fails unless the answer has every member that was written.
func assertSays(t *testing.T, answer, written object, path string) {
	t.Helper()
	for name, value := range written {
		inner, isObject := value.(object)
		if answered, too := answer[name].(object); isObject && too {
			assertSays(t, answered, inner, path+"."+name)
		} else if !reflect.DeepEqual(answer[name], value) {
			t.Errorf("%s.%s: %v, not %v", path, name, answer[name], value)
		}
	}
}

// settle writes what the text says and reads it twice: both answers say the same, and what was written.
func settle[T any](t *testing.T, text string, write func(*T) error, read func() (*T, error)) {
	t.Helper()
	sent := new(T)
	must(t, json.Unmarshal([]byte(text), sent))
	written := asObject(t, sent)
	must(t, write(sent))
	first, err := read()
	must(t, err)
	second, err := read()
	must(t, err)
	assertSays(t, asObject(t, first), written, "")
	if one, two := asObject(t, first), asObject(t, second); !reflect.DeepEqual(one, two) {
		t.Errorf("read %v, then %v", one, two)
	}
}

// send makes a request that the types of the SDK cannot say, and returns the answer, if there is one.
func send(t *testing.T, method string, body any, path ...string) any {
	t.Helper()
	api := manage(t)
	request, err := api.NewRequest(ctx, method, api.URI(path...), body)
	must(t, err)
	response, err := api.Do(request)
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return nil
	}
	var answer any
	must(t, json.NewDecoder(response.Body).Decode(&answer))
	if response.StatusCode >= 400 {
		t.Fatalf("%d %v", response.StatusCode, answer)
	}
	return answer
}

// patch changes members, where null is not the same as nothing.
func patch(t *testing.T, body object, path ...string) object {
	t.Helper()
	return send(t, http.MethodPatch, body, path...).(object)
}

// assertUnset sets each to null at once, and fails if the answer still has one.
func assertUnset(t *testing.T, names []string, path ...string) {
	t.Helper()
	body := object{}
	for _, name := range names {
		body[name] = nil
	}
	answer := patch(t, body, path...)
	for _, name := range names {
		if answer[name] != nil {
			t.Errorf("%s is still %v", name, answer[name])
		}
	}
}

func TestWhatTerraformWritesOfAClientIsWhatItReads(t *testing.T) {
	api := manage(t)
	organization := createOrganization(t, "go-terraform-client")
	var id string
	read := func() (*management.Client, error) { return api.Client.Read(ctx, id) }
	settle(t, `{
		"name": "Terraform", "description": "Kept as code", "app_type": "regular_web", "is_first_party": true,
		"oidc_conformant": true, "logo_uri": "https://shop.example/logo.png", "sso": false,
		"callbacks": ["https://shop.example/callback"], "allowed_logout_urls": ["https://shop.example/bye"],
		"allowed_origins": ["https://shop.example"], "web_origins": ["https://shop.example"],
		"grant_types": ["authorization_code", "client_credentials", "refresh_token"],
		"client_metadata": {"team": "web", "tier": "gold"}, "initiate_login_uri": "https://shop.example/login",
		"jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 3600, "scopes": {"team": "read"}},
		"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 15,
			"token_lifetime": 84600, "idle_token_lifetime": 72000, "infinite_token_lifetime": false,
			"infinite_idle_token_lifetime": false},
		"mobile": {"ios": {"team_id": "9JA89QQLNQ", "app_bundle_identifier": "example.shop"}},
		"native_social_login": {"apple": {"enabled": true}, "facebook": {"enabled": false}},
		"oidc_logout": {"backchannel_logout_urls": ["https://shop.example/backchannel"],
			"backchannel_logout_initiators": {"mode": "custom", "selected_initiators": ["rp-logout", "idp-logout"]}},
		"cross_origin_authentication": true, "cross_origin_loc": "https://shop.example/cross",
		"organization_usage": "allow", "organization_require_behavior": "no_prompt",
		"require_pushed_authorization_requests": true,
		"token_quota": {"client_credentials": {"enforce": true, "per_day": 100, "per_hour": 20}},
		"session_transfer": {"can_create_session_transfer_token": true, "enforce_device_binding": "ip",
			"allowed_authentication_methods": ["cookie", "query"]},
		"skip_non_verifiable_callback_uri_confirmation_prompt": true
	}`, func(client *management.Client) error {
		err := api.Client.Create(ctx, client)
		id = client.GetClientID()
		return err
	}, read)
	settle(t, `{
		"name": "Terraform 2", "description": "", "callbacks": [], "web_origins": [], "sso": true,
		"client_metadata": {"team": "checkout", "tier": "gold"},
		"refresh_token": {"rotation_type": "non-rotating", "expiration_type": "non-expiring",
			"infinite_token_lifetime": true, "infinite_idle_token_lifetime": true},
		"organization_usage": "require", "organization_require_behavior": "no_prompt",
		"grant_types": ["client_credentials"],
		"default_organization": {"flows": ["client_credentials"], "organization_id": "`+organization.GetID()+`"}
	}`, func(client *management.Client) error { return api.Client.Update(ctx, id, client) }, read)
	assertUnset(t, []string{
		"default_organization", "session_transfer", "cross_origin_loc", "encryption_key", "addons", "token_quota",
		"skip_non_verifiable_callback_uri_confirmation_prompt",
	}, "clients", id)

	must(t, api.Client.Delete(ctx, id))
	_, err := read()
	assertStatus(t, err, 404)
}

func TestWhatTerraformWritesOfCredentialsIsWhatItReads(t *testing.T) {
	api := manage(t)
	client := createMachine(t, &management.Client{
		JWTConfiguration: &management.ClientJWTConfiguration{Algorithm: auth0.String("RS256")},
	})
	id := client.GetClientID()
	fields := management.IncludeFields(
		"client_id", "client_secret", "token_endpoint_auth_method", "client_authentication_methods")
	read := func() *management.Client {
		client, err := api.Client.Read(ctx, id, fields)
		must(t, err)
		return client
	}

	must(t, api.Client.Update(ctx, id, &management.Client{TokenEndpointAuthMethod: auth0.String("client_secret_basic")}))
	secret := strings.Repeat("secret", 8)
	must(t, api.Client.Update(ctx, id, &management.Client{ClientSecret: &secret}))
	if now := read(); now.GetClientSecret() != secret || now.GetTokenEndpointAuthMethod() != "client_secret_basic" {
		t.Errorf("read %v", now)
	}
	if now := read(); now.Name != nil {
		t.Errorf("read more fields than asked for: %v", now)
	}

	// To keys: each is made first, then all are attached and the method goes.
	var attached []object
	keys := []key{newKey(t), newKey(t)}
	for index, name := range []string{"one", "two"} {
		credential := keys[index].credential(name)
		must(t, api.Client.CreateCredential(ctx, id, credential))
		attached = append(attached, object{"id": credential.GetID()})
	}
	patch(t, object{
		"token_endpoint_auth_method":    nil,
		"client_authentication_methods": object{"private_key_jwt": object{"credentials": attached}},
	}, "clients", id)
	now := read()
	of := now.GetClientAuthenticationMethods().GetPrivateKeyJWT().GetCredentials()
	if now.TokenEndpointAuthMethod != nil || len(of) != 2 {
		t.Errorf("read %v", now)
	}
	for index, reference := range of {
		credential, err := api.Client.GetCredential(ctx, id, reference.GetID())
		must(t, err)
		if reference.GetID() != attached[index]["id"] || credential.GetName() != []string{"one", "two"}[index] ||
			credential.GetAlgorithm() != "RS256" || credential.GetCredentialType() != "public_key" {
			t.Errorf("credential %v", credential)
		}
	}

	end := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	must(t, api.Client.UpdateCredential(ctx, id, of[0].GetID(), &management.Credential{ExpiresAt: &end}))
	credential, err := api.Client.GetCredential(ctx, id, of[0].GetID())
	must(t, err)
	if !credential.GetExpiresAt().Equal(end) {
		t.Errorf("expires at %v", credential.GetExpiresAt())
	}

	// Back: the keys are detached, then deleted.
	patch(t, object{
		"client_authentication_methods": nil, "token_endpoint_auth_method": "client_secret_post",
	}, "clients", id)
	for _, reference := range of {
		must(t, api.Client.DeleteCredential(ctx, id, reference.GetID()))
	}
	left, err := api.Client.ListCredentials(ctx, id)
	must(t, err)
	if now := read(); now.GetTokenEndpointAuthMethod() != "client_secret_post" || len(left) != 0 ||
		now.GetClientAuthenticationMethods().GetPrivateKeyJWT() != nil {
		t.Errorf("read %v, credentials %v", now, left)
	}
}

func TestWhatTerraformWritesOfAnAPIItsScopesAndAGrantIsWhatItReads(t *testing.T) {
	api := manage(t)
	identifier := "https://terraform.example/"
	var id string
	read := func() (*management.ResourceServer, error) { return api.ResourceServer.Read(ctx, id) }
	update := func(server *management.ResourceServer) error { return api.ResourceServer.Update(ctx, id, server) }
	settle(t, `{
		"name": "Terraform", "identifier": "`+identifier+`", "signing_alg": "RS256", "allow_offline_access": true,
		"token_lifetime": 8600, "token_lifetime_for_web": 7200, "token_dialect": "access_token_authz",
		"enforce_policies": true, "skip_consent_for_verifiable_first_party_clients": true,
		"proof_of_possession": {"mechanism": "mtls", "required": false},
		"subject_type_authorization": {"user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"}}
	}`, func(server *management.ResourceServer) error {
		err := api.ResourceServer.Create(ctx, server)
		id = server.GetID()
		return err
	}, read)
	settle(t, `{
		"name": "Terraform 2", "signing_alg": "PS256", "allow_offline_access": false, "token_lifetime": 7200,
		"token_dialect": "rfc9068_profile", "enforce_policies": false
	}`, update, read)
	assertUnset(t, []string{
		"consent_policy", "authorization_details", "token_encryption", "proof_of_possession",
	}, "resource-servers", id)

	// Scopes are a resource of their own, which knows the API by its identifier.
	scopes := func(text string) {
		t.Helper()
		settle(t, `{"scopes": `+text+`}`, func(server *management.ResourceServer) error {
			return api.ResourceServer.Update(ctx, identifier, server)
		}, func() (*management.ResourceServer, error) { return api.ResourceServer.Read(ctx, identifier) })
	}
	scopes(`[{"value": "read:code", "description": "Read code"}, {"value": "write:code"}]`)
	scopes(`[{"value": "write:code", "description": "Write code"}, {"value": "read:code"}]`)

	client := createMachine(t, &management.Client{})
	ofBoth := []management.RequestOption{
		management.Parameter("audience", identifier), management.Parameter("client_id", client.GetClientID()),
	}
	before, err := api.ClientGrant.List(ctx, ofBoth...)
	must(t, err)
	if len(before.ClientGrants) != 0 {
		t.Errorf("grants %v", before)
	}
	var grantID string
	readGrant := func() (*management.ClientGrant, error) { return api.ClientGrant.Read(ctx, grantID) }
	settle(t, `{
		"client_id": "`+client.GetClientID()+`", "audience": "`+identifier+`", "scope": ["read:code"],
		"subject_type": "client", "organization_usage": "allow", "allow_any_organization": true
	}`, func(grant *management.ClientGrant) error {
		err := api.ClientGrant.Create(ctx, grant)
		grantID = grant.GetID()
		return err
	}, readGrant)
	updateGrant := func(grant *management.ClientGrant) error { return api.ClientGrant.Update(ctx, grantID, grant) }
	settle(t, `{
		"scope": ["read:code", "write:code"], "organization_usage": "require", "allow_any_organization": false
	}`, updateGrant, readGrant)
	settle(t, `{"scope": []}`, updateGrant, readGrant)

	scopes(`[]`)
	must(t, api.ClientGrant.Delete(ctx, grantID))
	_, err = readGrant()
	assertStatus(t, err, 404)
	must(t, api.ResourceServer.Delete(ctx, id))
	_, err = read()
	assertStatus(t, err, 404)
}

func TestWhatTerraformWritesOfAConnectionAndItsClientsIsWhatItReads(t *testing.T) {
	api := manage(t)
	var id string
	read := func() (*management.Connection, error) { return api.Connection.Read(ctx, id) }
	settle(t, `{
		"name": "go-terraform", "strategy": "auth0", "is_domain_connection": false, "realms": ["go-terraform"],
		"metadata": {"team": "web"},
		"options": {"passwordPolicy": "good", "password_history": {"enable": true, "size": 3},
			"password_no_personal_info": {"enable": true},
			"password_dictionary": {"enable": true, "dictionary": ["password", "admin"]},
			"password_complexity_options": {"min_length": 12}, "brute_force_protection": true,
			"disable_signup": true, "requires_username": false}
	}`, func(connection *management.Connection) error {
		err := api.Connection.Create(ctx, connection)
		id = connection.GetID()
		return err
	}, read)
	// Options are replaced as a whole.
	settle(t, `{
		"strategy": "auth0", "metadata": {"team": "checkout"}, "realms": ["go-terraform", "other"],
		"options": {"passwordPolicy": "fair", "brute_force_protection": false, "disable_signup": false}
	}`, func(connection *management.Connection) error {
		connection.Strategy = nil
		return api.Connection.Update(ctx, id, connection)
	}, read)

	one, two := createMachine(t, &management.Client{}), createMachine(t, &management.Client{})
	set := func(status bool, clients ...*management.Client) {
		t.Helper()
		var changes []management.ConnectionEnabledClient
		for _, client := range clients {
			changes = append(changes, management.ConnectionEnabledClient{ClientID: client.ClientID, Status: &status})
		}
		must(t, api.Connection.UpdateEnabledClients(ctx, id, changes))
	}
	assertEnabled := func(clients ...*management.Client) {
		t.Helper()
		var enabled, wanted []string
		var next string
		for {
			options := []management.RequestOption{management.Take(1)}
			if next != "" {
				options = append(options, management.From(next))
			}
			page, err := api.Connection.ReadEnabledClients(ctx, id, options...)
			must(t, err)
			for _, client := range page.GetClients() {
				enabled = append(enabled, client.GetClientID())
			}
			if next = page.Next; !page.HasNext() {
				break
			}
		}
		for _, client := range clients {
			wanted = append(wanted, client.GetClientID())
		}
		slices.Sort(enabled)
		slices.Sort(wanted)
		if !slices.Equal(enabled, wanted) {
			t.Errorf("enabled for %v, not %v", enabled, wanted)
		}
	}
	set(true, one)
	assertEnabled(one)
	set(true, one, two)
	assertEnabled(one, two)
	set(false, one)
	assertEnabled(two)
	part, err := api.Connection.Read(ctx, id, management.IncludeFields("strategy", "name"))
	must(t, err)
	if part.GetName() != "go-terraform" || part.GetStrategy() != "auth0" || part.Realms != nil || part.Metadata != nil {
		t.Errorf("read %v", part)
	}
	set(false, two)
	assertEnabled()

	must(t, api.Connection.Delete(ctx, id))
	_, err = read()
	assertStatus(t, err, 404)
}

func TestWhatTerraformWritesOfAnOrganizationIsWhatItReads(t *testing.T) {
	api := manage(t)
	connection := createConnection(t, "go-terraform-members")
	var id string
	read := func() (*management.Organization, error) { return api.Organization.Read(ctx, id) }
	settle(t, `{
		"name": "go-terraform", "display_name": "As code", "metadata": {"tier": "gold"},
		"branding": {"logo_url": "https://acme.example/logo.png",
			"colors": {"primary": "#0059d6", "page_background": "#ffffff"}},
		"token_quota": {"client_credentials": {"enforce": false, "per_hour": 50}}
	}`, func(organization *management.Organization) error {
		err := api.Organization.Create(ctx, organization)
		id = organization.GetID()
		return err
	}, read)
	settle(t, `{"name": "go-terraform-2", "display_name": "As code, still", "metadata": {"tier": "silver"}}`,
		func(organization *management.Organization) error {
			return api.Organization.Update(ctx, id, organization)
		},
		read)
	assertUnset(t, []string{"token_quota"}, "organizations", id)

	readConnection := func() (*management.OrganizationConnection, error) {
		return api.Organization.Connection(ctx, id, connection.GetID())
	}
	settle(t, `{
		"connection_id": "`+connection.GetID()+`", "assign_membership_on_login": true, "show_as_button": false
	}`, func(enabled *management.OrganizationConnection) error {
		return api.Organization.AddConnection(ctx, id, enabled)
	}, readConnection)
	settle(t, `{"assign_membership_on_login": false, "show_as_button": true}`,
		func(enabled *management.OrganizationConnection) error {
			return api.Organization.UpdateConnection(ctx, id, connection.GetID(), enabled)
		}, readConnection)
	// No type of this version has an organization's clients.
	client := createMachine(t, &management.Client{})
	one := []string{"organizations", id, "clients", client.GetClientID()}
	assertUsed := func(used bool) {
		t.Helper()
		answer := send(t, http.MethodGet, nil, one...).(object)
		if answer["client_id"] != client.GetClientID() || answer["use_for_member_access"] != used {
			t.Errorf("read %v", answer)
		}
	}
	association := object{"client_id": client.GetClientID(), "use_for_member_access": true}
	send(t, http.MethodPost, object{"clients": []object{association}}, one[:3]...)
	assertUsed(true)
	patch(t, object{"use_for_member_access": false}, one...)
	assertUsed(false)
	send(t, http.MethodDelete, object{"clients": []string{client.GetClientID()}}, one[:3]...)
	assertStatus(t, api.Request(ctx, http.MethodGet, api.URI(one...), &object{}), 404)

	must(t, api.Organization.DeleteConnection(ctx, id, connection.GetID()))
	_, err := readConnection()
	assertStatus(t, err, 404)

	must(t, api.Organization.Delete(ctx, id))
	_, err = read()
	assertStatus(t, err, 404)
}

func TestWhatTerraformWritesOfTheTenantIsWhatItReads(t *testing.T) {
	api := manage(t)
	update := func(tenant *management.Tenant) error { return api.Tenant.Update(ctx, tenant) }
	read := func() (*management.Tenant, error) { return api.Tenant.Read(ctx) }
	settle(t, `{
		"friendly_name": "Terraform", "picture_url": "https://shop.example/logo.png",
		"support_email": "help@shop.example", "support_url": "https://shop.example/help",
		"allowed_logout_urls": ["https://shop.example/bye"], "enabled_locales": ["en", "de"],
		"session_lifetime": 46000, "idle_session_lifetime": 73, "session_cookie": {"mode": "non-persistent"},
		"sessions": {"oidc_logout_prompt_enabled": false}, "default_redirection_uri": "https://shop.example/",
		"oidc_logout": {"rp_logout_end_session_endpoint_discovery": true},
		"allow_organization_name_in_authentication_api": true, "customize_mfa_in_postlogin_action": true,
		"pushed_authorization_requests_supported": true, "acr_values_supported": ["gold", "silver"],
		"mtls": {"enable_endpoint_aliases": true}, "skip_non_verifiable_callback_uri_confirmation_prompt": true,
		"error_page": {"html": "<html></html>", "show_log_link": true, "url": "https://shop.example/error"},
		"default_token_quota": {"clients": {"client_credentials": {"enforce": false, "per_day": 100000}},
			"organizations": {"client_credentials": {"enforce": false, "per_hour": 10000}}},
		"flags": {"enable_client_connections": false, "enable_apis_section": true, "enable_pipeline2": true,
			"disable_clickjack_protection_headers": true, "enable_public_signup_user_exists_error": true,
			"use_scope_descriptions_for_consent": true, "no_disclose_enterprise_connections": true,
			"revoke_refresh_token_grant": true, "mfa_show_factor_list_on_enrollment": true}
	}`, update, read)
	settle(t, `{
		"friendly_name": "", "picture_url": "", "support_email": "", "support_url": "",
		"allowed_logout_urls": [], "enabled_locales": ["de"], "acr_values_supported": [],
		"session_lifetime": 168, "idle_session_lifetime": 72, "session_cookie": {"mode": "persistent"},
		"sessions": {"oidc_logout_prompt_enabled": true}, "mtls": {"enable_endpoint_aliases": false},
		"allow_organization_name_in_authentication_api": false, "pushed_authorization_requests_supported": false,
		"flags": {"revoke_refresh_token_grant": false, "use_scope_descriptions_for_consent": false}
	}`, update, read)
	assertUnset(t, []string{
		"default_token_quota", "acr_values_supported", "mtls", "error_page",
		"skip_non_verifiable_callback_uri_confirmation_prompt",
	}, "tenants", "settings")
	unset := patch(t, object{"default_redirection_uri": ""}, "tenants", "settings")
	if uri := unset["default_redirection_uri"]; uri != nil {
		t.Errorf("default_redirection_uri is still %v", uri)
	}
}
