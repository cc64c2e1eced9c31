import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.auth0.client.mgmt.ManagementApi;
import com.auth0.client.mgmt.core.SyncPage;
import com.auth0.client.mgmt.errors.NotFoundError;
import com.auth0.client.mgmt.types.Client;
import com.auth0.client.mgmt.types.ClientAppTypeEnum;
import com.auth0.client.mgmt.types.CreateClientRequestContent;
import com.auth0.client.mgmt.types.GetClientRequestParameters;
import com.auth0.client.mgmt.types.ListClientsOffsetPaginatedResponseContent;
import com.auth0.client.mgmt.types.ListClientsRequestParameters;
import com.auth0.client.mgmt.types.UpdateClientRequestContent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ClientsTest {
    private final ManagementApi auth0 = Tenant.management();

    @Test
    void aClientIsCreatedReadUpdatedGivenANewSecretAndDeleted() {
        var created = auth0.clients().create(CreateClientRequestContent.builder()
                .name("Shop")
                .description("Sells things")
                .appType(ClientAppTypeEnum.REGULAR_WEB)
                .callbacks(List.of("https://shop.example/callback"))
                .clientMetadata(Map.of("team", "checkout", "floor", "3"))
                .build());
        var id = created.getClientId().orElseThrow();
        var secret = created.getClientSecret().orElseThrow();
        assertEquals(32, id.length());
        assertEquals(64, secret.length());

        var read = auth0.clients().get(id);
        assertEquals(Optional.of(secret), read.getClientSecret());
        assertEquals(Optional.of(ClientAppTypeEnum.REGULAR_WEB), read.getAppType());
        assertEquals(Optional.of(Map.of("team", "checkout", "floor", "3")), read.getClientMetadata());
        var named = auth0.clients().get(id, GetClientRequestParameters.builder().fields("name").build());
        assertEquals(Optional.of("Shop"), named.getName());
        assertEquals(Optional.empty(), named.getCallbacks());

        auth0.clients().update(id, UpdateClientRequestContent.builder().name("Shop 2").callbacks(List.of()).build());
        var reread = auth0.clients().get(id);
        assertEquals(Optional.of("Shop 2"), reread.getName());
        assertEquals(Optional.of("Sells things"), reread.getDescription());
        assertEquals(Optional.of(List.of()), reread.getCallbacks());

        var rotated = auth0.clients().rotateSecret(id).getClientSecret().orElseThrow();
        assertEquals(64, rotated.length());
        assertNotEquals(secret, rotated);

        auth0.clients().delete(id);
        assertThrows(NotFoundError.class, () -> auth0.clients().get(id));
    }

    @Test
    void rawResponsesHaveHeadersAndTheBody() {
        var raw = auth0.clients().withRawResponse();
        var created = raw.create(CreateClientRequestContent.builder().name("Raw shop").build());
        assertTrue(created.headers().get("content-type").get(0).startsWith("application/json"));
        var id = created.body().getClientId().orElseThrow();
        assertEquals(Optional.of("Raw shop"), raw.get(id).body().getName());
        raw.delete(id);
    }

    @Test
    void theIteratorWalksAllClientsPageByPageInTheOrderOfTheirCreation() {
        List<String> made = new ArrayList<>();
        for (int number = 0; number < 5; number++) {
            // No other test makes clients of this type.
            var client = CreateClientRequestContent.builder().name("App").appType(ClientAppTypeEnum.NATIVE).build();
            made.add(auth0.clients().create(client).getClientId().orElseThrow());
        }
        var apps = ListClientsRequestParameters.builder().appType("native").perPage(2).includeTotals(true).build();
        var first = auth0.clients().list(apps);
        var response = first.<ListClientsOffsetPaginatedResponseContent>getResponse().orElseThrow();
        assertEquals(Optional.of(5.0), response.getTotal());
        assertEquals(2, first.getItems().size());
        assertEquals(made, first.streamItems().map(client -> client.getClientId().orElseThrow()).toList());

        SyncPage<Client> second = auth0.clients().list(apps).nextPage();
        assertEquals(made.subList(2, 4), second.getItems().stream().map(c -> c.getClientId().orElseThrow()).toList());
        assertTrue(second.hasNext());
        for (String id : made) auth0.clients().delete(id);
        assertFalse(auth0.clients().list(apps).iterator().hasNext());
    }
}
