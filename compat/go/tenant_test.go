package compat

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"testing"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/authentication"
	"github.com/auth0/go-auth0/authentication/oauth"
	"github.com/auth0/go-auth0/management"
)

var (
	ctx                = context.Background()
	domain             = os.Getenv("AUTH0_DOMAIN")
	managementAudience = "https://" + domain + "/api/v2/"
	admin              = management.WithClientCredentials(
		ctx, os.Getenv("AUTH0_CLIENT_ID"), os.Getenv("AUTH0_CLIENT_SECRET"))
)

// manage returns a management client, the administrator's unless told otherwise, that tries nothing twice.
func manage(t *testing.T, options ...management.Option) *management.Management {
	t.Helper()
	if len(options) == 0 {
		options = []management.Option{admin}
	}
	client, err := management.New(domain, append(options, management.WithNoRetries())...)
	must(t, err)
	return client
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// createMachine makes a machine-to-machine client that may read clients, until the test ends.
func createMachine(t *testing.T, client *management.Client) *management.Client {
	t.Helper()
	api := manage(t)
	client.Name = auth0.String("Machine")
	client.AppType = auth0.String("non_interactive")
	client.GrantTypes = &[]string{"client_credentials"}
	must(t, api.Client.Create(ctx, client))
	t.Cleanup(func() { must(t, api.Client.Delete(ctx, client.GetClientID())) })
	must(t, api.ClientGrant.Create(ctx, &management.ClientGrant{
		ClientID: client.ClientID, Audience: &managementAudience, Scope: &[]string{"read:clients"},
	}))
	return client
}

// key is an RSA key, both parts in PEM.
type key struct{ private, public string }

func newKey(t *testing.T) key {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	encoded, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	must(t, err)
	inPEM := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return key{
		inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)),
		inPEM("PUBLIC KEY", encoded),
	}
}

// credential is the full definition of a credential with this key.
func (k key) credential(name string) *management.Credential {
	return &management.Credential{CredentialType: auth0.String("public_key"), Name: &name, PEM: &k.public}
}

// byKeys is the setting of a client that authenticates by these credentials.
func byKeys(credentials ...management.Credential) *management.ClientAuthenticationMethods {
	return &management.ClientAuthenticationMethods{
		PrivateKeyJWT: &management.PrivateKeyJWT{Credentials: &credentials},
	}
}

// createKeyMachine makes a machine that authenticates by this key.
func createKeyMachine(t *testing.T, k key) *management.Client {
	t.Helper()
	return createMachine(t, &management.Client{
		JWTConfiguration:            &management.ClientJWTConfiguration{Algorithm: auth0.String("RS256")},
		ClientAuthenticationMethods: byKeys(*k.credential("first")),
	})
}

// asker returns a function that asks for a token, and never twice on its own account.
func asker(t *testing.T, clientID string, proof authentication.Option) func() (*oauth.TokenSet, error) {
	t.Helper()
	client, err := authentication.New(
		ctx, domain, authentication.WithClientID(clientID), proof, authentication.WithNoRetries())
	must(t, err)
	return func() (*oauth.TokenSet, error) {
		return client.OAuth.LoginWithClientCredentials(
			ctx,
			oauth.LoginWithClientCredentialsRequest{Audience: managementAudience},
			oauth.IDTokenValidationOptions{},
		)
	}
}

func byKey(k key) authentication.Option {
	return authentication.WithClientAssertion(k.private, "RS256")
}

// assertRefused fails unless the error is a 401 with this code of the token endpoint.
func assertRefused(t *testing.T, err error, code string) {
	t.Helper()
	var refused *authentication.Error
	if !errors.As(err, &refused) || refused.StatusCode != 401 || refused.Err != code {
		t.Errorf("%v, not 401 %s", err, code)
	}
}

// assertStatus fails unless the error is one of the Management API with this status.
func assertStatus(t *testing.T, err error, status int) {
	t.Helper()
	var failure management.Error
	if !errors.As(err, &failure) || failure.Status() != status {
		t.Errorf("%v, not %d", err, status)
	}
}
