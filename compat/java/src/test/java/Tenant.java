import com.auth0.client.auth.AuthAPI;
import com.auth0.client.mgmt.ManagementApi;
import com.auth0.client.mgmt.types.ClientAppTypeEnum;
import com.auth0.client.mgmt.types.CreateClientRequestContent;
import com.auth0.client.mgmt.types.CreateClientResponseContent;
import com.auth0.client.mgmt.types.CreateResourceServerRequestContent;
import com.auth0.client.mgmt.types.CreateResourceServerResponseContent;
import com.auth0.client.mgmt.types.ResourceServerScope;
import java.util.List;
import java.util.UUID;

/** What the tests share: the SDK's clients for the server in the environment, and objects to work with. */
final class Tenant {
    static final String DOMAIN = System.getenv("AUTH0_DOMAIN");
    static final String MANAGEMENT_AUDIENCE = "https://" + DOMAIN + "/api/v2/";

    private Tenant() {}

    /** A management client that fetches its own token, as the administrator. */
    static ManagementApi management() {
        return management(System.getenv("AUTH0_CLIENT_ID"), System.getenv("AUTH0_CLIENT_SECRET"));
    }

    /** No request is repeated: a test wants to see the first answer. */
    static ManagementApi management(String clientId, String clientSecret) {
        return ManagementApi.builder().domain(DOMAIN).clientCredentials(clientId, clientSecret).maxRetries(0).build();
    }

    /** The SDK's authentication client. */
    static AuthAPI authentication(String clientId, String clientSecret) {
        return AuthAPI.newBuilder(DOMAIN, clientId, clientSecret).build();
    }

    static CreateClientResponseContent createMachine(ManagementApi auth0, String name) {
        return auth0.clients().create(CreateClientRequestContent.builder()
                .name(name)
                .appType(ClientAppTypeEnum.NON_INTERACTIVE)
                .grantTypes(List.of("client_credentials"))
                .build());
    }

    static CreateResourceServerResponseContent createApi(ManagementApi auth0) {
        return auth0.resourceServers().create(CreateResourceServerRequestContent.builder()
                .identifier("https://orders.example/" + UUID.randomUUID())
                .name("Orders")
                .scopes(List.of(scope("read:orders", "Read orders"), scope("write:orders", "Write orders")))
                .tokenLifetime(600)
                .build());
    }

    static ResourceServerScope scope(String value, String description) {
        return ResourceServerScope.builder().value(value).description(description).build();
    }
}
