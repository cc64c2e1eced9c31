package compat

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/auth0/go-auth0/authentication"
	"github.com/auth0/go-auth0/authentication/oauth"
	"github.com/auth0/go-auth0/management"
)

func TestAClientWithAPublicKeyAuthenticatesByAssertions(t *testing.T) {
	k := newKey(t)
	client := createKeyMachine(t, k)
	id := client.GetClientID()
	if client.ClientSecret != nil {
		t.Error("it has a secret")
	}
	tokens, err := asker(t, id, byKey(k))()
	must(t, err)
	if tokens.Scope != "read:clients" {
		t.Errorf("scope %q", tokens.Scope)
	}
	for _, own := range []management.Option{
		management.WithClientCredentialsPrivateKeyJwt(ctx, id, k.private, "RS256"),
		management.WithClientCredentialsPrivateKeyJwtAndAudience(ctx, id, k.private, "RS256", managementAudience),
	} {
		read, err := manage(t, own).Client.Read(ctx, id)
		must(t, err)
		if read.GetName() != "Machine" {
			t.Errorf("read %v", read)
		}
	}
	_, err = asker(t, id, byKey(newKey(t)))()
	assertRefused(t, err, "invalid_client")
}

func TestAClientChangesItsKeyDuringAHundredTokenRequestsAndNoneOfThemFails(t *testing.T) {
	api := manage(t)
	one, two := newKey(t), newKey(t)
	client := createKeyMachine(t, one)
	id := client.GetClientID()
	first := (*client.ClientAuthenticationMethods.PrivateKeyJWT.Credentials)[0]

	// A request holds the lock for reading until it is answered, so whoever sets another function waits for the
	// requests that are signed by the key before.
	var lock sync.RWMutex
	ask := asker(t, id, byKey(one))
	var started, answered atomic.Int32
	var workers sync.WaitGroup
	for range 4 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for started.Add(1) <= 100 {
				lock.RLock()
				if _, err := ask(); err != nil {
					t.Error(err)
				}
				lock.RUnlock()
				answered.Add(1)
			}
		}()
	}
	reached := func(count int32) {
		for answered.Load() < count {
			time.Sleep(time.Millisecond)
		}
	}
	enable := func(credentials ...management.Credential) {
		must(t, api.Client.Update(ctx, id, &management.Client{ClientAuthenticationMethods: byKeys(credentials...)}))
	}

	reached(20)
	second := two.credential("second")
	must(t, api.Client.CreateCredential(ctx, id, second))
	reached(30)
	enable(management.Credential{ID: first.ID}, management.Credential{ID: second.ID})
	reached(50)
	signByTwo := asker(t, id, byKey(two))
	lock.Lock()
	ask = signByTwo
	lock.Unlock()
	enable(management.Credential{ID: second.ID})
	reached(70)
	must(t, api.Client.DeleteCredential(ctx, id, first.GetID()))
	if answered.Load() == 100 {
		t.Error("the first key went after all requests were sent")
	}
	workers.Wait()

	_, err := asker(t, id, byKey(one))()
	assertRefused(t, err, "invalid_client")
	left, err := api.Client.ListCredentials(ctx, id)
	must(t, err)
	if len(left) != 1 || left[0].GetID() != second.GetID() {
		t.Errorf("left are %v", left)
	}
}

func TestASecretIsRotatedTenTimesWithGracePeriodsAndNobodyWhoLearnsOfItLateIsRefused(t *testing.T) {
	api := manage(t)
	client := createMachine(t, &management.Client{})
	id := client.GetClientID()
	type request = func() (*oauth.TokenSet, error)
	bySecret := func(secret string) request { return asker(t, id, authentication.WithClientSecret(secret)) }

	var newest atomic.Pointer[request]
	set := func(one request) { newest.Store(&one) }
	set(bySecret(client.GetClientSecret()))
	var requests atomic.Int32
	var isOver atomic.Bool
	var workers sync.WaitGroup
	for range 3 {
		workers.Add(1)
		// Asks with the newest secret that it knows; of each it hears up to 300 ms late.
		go func() {
			defer workers.Done()
			for !isOver.Load() {
				known := *newest.Load()
				until := time.Now().Add(rand.N(300 * time.Millisecond))
				for time.Now().Before(until) {
					if _, err := known(); err != nil {
						t.Error(err)
					}
					requests.Add(1)
					time.Sleep(5 * time.Millisecond)
				}
			}
		}()
	}
	var before request
	var asked time.Time
	for _, grace := range []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 2} {
		asked, before = time.Now(), *newest.Load()
		body := fmt.Appendf(nil, `{"grace_period_seconds": %d}`, grace)
		rotated, err := api.Client.RotateSecret(ctx, id, management.Body(body))
		must(t, err)
		set(bySecret(rotated.GetClientSecret()))
		time.Sleep(120 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	isOver.Store(true)
	workers.Wait()
	if requests.Load() < 10 {
		t.Errorf("%d requests, not one for each secret", requests.Load())
	}

	_, err := before()
	if err != nil {
		t.Errorf("its grace period has not passed: %v", err)
	}
	end := asked.Add(2 * time.Second)
	for err == nil {
		if time.Now().After(end.Add(time.Second)) {
			t.Fatal("not refused within a second of the end of the grace period")
		}
		time.Sleep(50 * time.Millisecond)
		_, err = before()
	}
	assertRefused(t, err, "access_denied")
	if time.Now().Before(end) {
		t.Error("refused before the end of the grace period")
	}
	if _, err = (*newest.Load())(); err != nil {
		t.Error(err)
	}
}
