import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.auth0.client.mgmt.ManagementApi;
import com.auth0.client.mgmt.errors.NotFoundError;
import com.auth0.client.mgmt.types.ClientGrantResponseContent;
import com.auth0.client.mgmt.types.CreateClientGrantRequestContent;
import com.auth0.client.mgmt.types.ListClientGrantsRequestParameters;
import com.auth0.client.mgmt.types.ListResourceServerRequestParameters;
import com.auth0.client.mgmt.types.UpdateClientGrantRequestContent;
import com.auth0.client.mgmt.types.UpdateResourceServerRequestContent;
import com.auth0.exception.APIException;
import com.auth0.exception.Auth0Exception;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GrantsTest {
    private final ManagementApi auth0 = Tenant.management();

    private String grant(String clientId, String audience, List<String> scope) {
        var grant = CreateClientGrantRequestContent.builder().clientId(clientId).audience(audience).scope(scope);
        return auth0.clientGrants().create(grant.build()).getId().orElseThrow();
    }

    @Test
    void anApiIsCreatedReadUpdatedListedAndDeleted() {
        var created = Tenant.createApi(auth0);
        var id = created.getId().orElseThrow();
        var identifier = created.getIdentifier().orElseThrow();
        assertEquals(Optional.of("Orders"), auth0.resourceServers().get(identifier).getName());
        var change = UpdateResourceServerRequestContent.builder()
                .name("Purchases")
                .scopes(List.of(Tenant.scope("read:orders", "Look at orders")))
                .build();
        auth0.resourceServers().update(id, change);
        var read = auth0.resourceServers().get(id);
        assertEquals(Optional.of("Purchases"), read.getName());
        assertEquals(Optional.of(600), read.getTokenLifetime());
        assertEquals(Optional.of("Look at orders"), read.getScopes().orElseThrow().get(0).getDescription());

        var listing = ListResourceServerRequestParameters.builder().identifiers(identifier).build();
        assertEquals(List.of(id), auth0.resourceServers().list(listing).streamItems()
                .map(api -> api.getId().orElseThrow()).toList());
        auth0.resourceServers().delete(id);
        assertThrows(NotFoundError.class, () -> auth0.resourceServers().get(id));
    }

    @Test
    void grantsAreListedFromCheckpointToCheckpointUpdatedAndDeleted() {
        var api = Tenant.createApi(auth0);
        var audience = api.getIdentifier().orElseThrow();
        List<String> clients = new ArrayList<>();
        List<String> grants = new ArrayList<>();
        for (int number = 0; number < 3; number++) {
            clients.add(Tenant.createMachine(auth0, "Machine").getClientId().orElseThrow());
            grants.add(grant(clients.get(number), audience, List.of("read:orders")));
        }
        var listing = ListClientGrantsRequestParameters.builder().audience(audience).take(2).build();
        assertEquals(2, auth0.clientGrants().list(listing).getItems().size());
        assertEquals(grants.stream().sorted().toList(), auth0.clientGrants().list(listing).streamItems()
                .map(grant -> grant.getId().orElseThrow()).sorted().toList());

        var first = grants.get(0);
        auth0.clientGrants().update(first, UpdateClientGrantRequestContent.builder()
                .scope(List.of("read:orders", "write:orders")).build());
        assertEquals(Optional.of(List.of("read:orders", "write:orders")), auth0.clientGrants().get(first).getScope());

        auth0.clientGrants().delete(first);
        List<String> left = auth0.clientGrants().list(listing).streamItems()
                .map(ClientGrantResponseContent::getId).map(Optional::orElseThrow).sorted().toList();
        assertEquals(grants.subList(1, 3).stream().sorted().toList(), left);
        for (String id : clients) auth0.clients().delete(id);
        assertFalse(auth0.clientGrants().list(listing).iterator().hasNext());
        auth0.resourceServers().delete(api.getId().orElseThrow());
    }

    @Test
    void aClientGetsATokenForTheApiAndTheScopesOfItsGrant() throws Auth0Exception {
        var api = Tenant.createApi(auth0);
        var audience = api.getIdentifier().orElseThrow();
        var client = Tenant.createMachine(auth0, "Machine");
        var id = client.getClientId().orElseThrow();
        var authentication = Tenant.authentication(id, client.getClientSecret().orElseThrow());
        var refused = assertThrows(APIException.class, () -> authentication.requestToken(audience).execute());
        assertEquals(403, refused.getStatusCode());
        assertTrue(refused.isAccessDenied());

        grant(id, audience, List.of("read:orders"));
        var token = authentication.requestToken(audience).execute().getBody();
        assertEquals("Bearer", token.getTokenType());
        assertEquals(600, token.getExpiresIn());
        assertEquals("read:orders", token.getScope());
        assertEquals(3, token.getAccessToken().split("\\.").length);

        auth0.clients().delete(id);
        auth0.resourceServers().delete(api.getId().orElseThrow());
    }
}
