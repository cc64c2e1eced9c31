import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.auth0.client.mgmt.ManagementApi;
import com.auth0.client.mgmt.core.ManagementApiException;
import com.auth0.client.mgmt.core.OAuthTokenException;
import com.auth0.client.mgmt.errors.BadRequestError;
import com.auth0.client.mgmt.errors.ConflictError;
import com.auth0.client.mgmt.errors.ForbiddenError;
import com.auth0.client.mgmt.errors.NotFoundError;
import com.auth0.client.mgmt.errors.UnauthorizedError;
import com.auth0.client.mgmt.types.CreateClientGrantRequestContent;
import com.auth0.client.mgmt.types.CreateClientRequestContent;
import com.auth0.client.mgmt.types.CreateResourceServerRequestContent;
import com.auth0.exception.APIException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ErrorsTest {
    private final ManagementApi auth0 = Tenant.management();

    private static void assertFails(Class<? extends ManagementApiException> type, String code, Executable call) {
        var body = (Map<?, ?>) assertThrows(type, call).body();
        assertEquals(code, body.get("errorCode"));
        assertTrue(body.get("message") instanceof String);
    }

    @Test
    void anUnknownClientIsANotFoundError() {
        assertFails(NotFoundError.class, "inexistent_client", () -> auth0.clients().get("nobody"));
        assertFails(NotFoundError.class, "inexistent_client", () -> auth0.clients().rotateSecret("nobody"));
    }

    @Test
    void aBadBodyIsABadRequestError() {
        var nameless = CreateClientRequestContent.builder().name("").build();
        assertFails(BadRequestError.class, "invalid_body", () -> auth0.clients().create(nameless));
    }

    @Test
    void anIdentifierThatIsTakenIsAConflictError() {
        var api = Tenant.createApi(auth0);
        var same = CreateResourceServerRequestContent.builder().identifier(api.getIdentifier().orElseThrow()).build();
        assertFails(ConflictError.class, "resource_server_conflict", () -> auth0.resourceServers().create(same));
        auth0.resourceServers().delete(api.getId().orElseThrow());
    }

    @Test
    void aTokenWithoutTheScopeIsAForbiddenErrorAndARotatedSecretIsRefused() {
        var client = Tenant.createMachine(auth0, "Reader");
        var id = client.getClientId().orElseThrow();
        var secret = client.getClientSecret().orElseThrow();
        auth0.clientGrants().create(CreateClientGrantRequestContent.builder()
                .clientId(id).audience(Tenant.MANAGEMENT_AUDIENCE).scope(List.of("read:clients")).build());
        var reader = Tenant.management(id, secret);
        assertTrue(reader.clients().get(id).getClientSecret().isEmpty());
        var another = CreateClientRequestContent.builder().name("X").build();
        assertFails(ForbiddenError.class, "insufficient_scope", () -> reader.clients().create(another));

        var rotated = auth0.clients().rotateSecret(id).getClientSecret().orElseThrow();
        assertThrows(OAuthTokenException.class, () -> Tenant.management(id, secret).clients().get(id));
        Tenant.management(id, rotated).clients().get(id);
        auth0.clients().delete(id);
    }

    @Test
    void aTokenThatTheServerDidNotSignIsAnUnauthorizedError() {
        var stranger = ManagementApi.builder().domain(Tenant.DOMAIN).token("not.a.token").build();
        assertThrows(UnauthorizedError.class, () -> stranger.clients().get("anything"));
    }

    @Test
    void aWrongSecretIsRefused() {
        var wrong = Tenant.authentication(System.getenv("AUTH0_CLIENT_ID"), "not the secret");
        var refused = assertThrows(APIException.class, () -> wrong.requestToken(Tenant.MANAGEMENT_AUDIENCE).execute());
        assertEquals(401, refused.getStatusCode());
        assertEquals("access_denied", refused.getError());
    }
}
