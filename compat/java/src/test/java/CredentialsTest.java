import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.auth0.client.auth.AuthAPI;
import com.auth0.client.auth.RSAClientAssertionSigner;
import com.auth0.client.mgmt.ManagementApi;
import com.auth0.client.mgmt.clients.types.PostClientCredentialRequestContent;
import com.auth0.client.mgmt.core.OptionalNullable;
import com.auth0.client.mgmt.types.ClientAppTypeEnum;
import com.auth0.client.mgmt.types.ClientAuthenticationMethod;
import com.auth0.client.mgmt.types.ClientAuthenticationMethodPrivateKeyJwt;
import com.auth0.client.mgmt.types.ClientCreateAuthenticationMethod;
import com.auth0.client.mgmt.types.ClientCreateAuthenticationMethodPrivateKeyJwt;
import com.auth0.client.mgmt.types.ClientCredentialTypeEnum;
import com.auth0.client.mgmt.types.ClientJwtConfiguration;
import com.auth0.client.mgmt.types.CreateClientGrantRequestContent;
import com.auth0.client.mgmt.types.CreateClientRequestContent;
import com.auth0.client.mgmt.types.CredentialId;
import com.auth0.client.mgmt.types.PublicKeyCredential;
import com.auth0.client.mgmt.types.PublicKeyCredentialTypeEnum;
import com.auth0.client.mgmt.types.SigningAlgorithmEnum;
import com.auth0.client.mgmt.types.UpdateClientRequestContent;
import com.auth0.exception.APIException;
import com.auth0.exception.Auth0Exception;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.interfaces.RSAPrivateKey;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CredentialsTest {
    private final ManagementApi auth0 = Tenant.management();

    private static KeyPair newKey() throws NoSuchAlgorithmException {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    private static String pem(KeyPair key) {
        var base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getPublic().getEncoded());
        return "-----BEGIN PUBLIC KEY-----\n" + base64 + "\n-----END PUBLIC KEY-----\n";
    }

    private static String tokenScope(String clientId, KeyPair key) throws Auth0Exception {
        var signer = new RSAClientAssertionSigner((RSAPrivateKey) key.getPrivate());
        var authentication = AuthAPI.newBuilder(Tenant.DOMAIN, clientId, signer).build();
        return authentication.requestToken(Tenant.MANAGEMENT_AUDIENCE).execute().getBody().getScope();
    }

    private static void assertRefused(String clientId, KeyPair key) {
        var refused = assertThrows(APIException.class, () -> tokenScope(clientId, key));
        assertEquals(401, refused.getStatusCode());
        assertEquals("invalid_client", refused.getError());
    }

    private void enable(String clientId, String... credentials) {
        var ids = Stream.of(credentials).map(id -> CredentialId.builder().id(id).build()).toList();
        var byKey = ClientAuthenticationMethodPrivateKeyJwt.builder().credentials(ids).build();
        var methods = ClientAuthenticationMethod.builder().privateKeyJwt(byKey).build();
        var change = UpdateClientRequestContent.builder().clientAuthenticationMethods(OptionalNullable.of(methods));
        auth0.clients().update(clientId, change.build());
    }

    @Test
    void aClientProvesItselfByAKeyAndGoesOverToAnotherOne() throws Exception {
        var one = newKey();
        var two = newKey();
        var credential = PublicKeyCredential.builder()
                .credentialType(PublicKeyCredentialTypeEnum.PUBLIC_KEY).pem(pem(one)).name("first").build();
        var byKey = ClientCreateAuthenticationMethodPrivateKeyJwt.builder().credentials(List.of(credential)).build();
        var client = auth0.clients().create(CreateClientRequestContent.builder()
                .name("Key machine")
                .appType(ClientAppTypeEnum.NON_INTERACTIVE)
                .grantTypes(List.of("client_credentials"))
                .jwtConfiguration(ClientJwtConfiguration.builder().alg(SigningAlgorithmEnum.RS256).build())
                .clientAuthenticationMethods(ClientCreateAuthenticationMethod.builder().privateKeyJwt(byKey).build())
                .build());
        var id = client.getClientId().orElseThrow();
        assertTrue(client.getClientSecret().isEmpty());
        auth0.clientGrants().create(CreateClientGrantRequestContent.builder()
                .clientId(id).audience(Tenant.MANAGEMENT_AUDIENCE).scope(List.of("read:clients")).build());
        assertEquals("read:clients", tokenScope(id, one));
        assertRefused(id, two);

        var first = client.getClientAuthenticationMethods().get().getPrivateKeyJwt().orElseThrow()
                .getCredentials().get(0).getId();
        var second = auth0.clients().credentials().create(id, PostClientCredentialRequestContent.builder()
                .credentialType(ClientCredentialTypeEnum.PUBLIC_KEY).name("second").pem(pem(two)).build())
                .getId().orElseThrow();
        enable(id, first, second);
        assertEquals("read:clients", tokenScope(id, one));
        assertEquals("read:clients", tokenScope(id, two));
        enable(id, second);
        auth0.clients().credentials().delete(id, first);
        assertRefused(id, one);
        assertEquals("read:clients", tokenScope(id, two));

        var left = auth0.clients().credentials().list(id);
        assertEquals(List.of("second"), left.stream().map(credential_ -> credential_.getName().orElseThrow()).toList());
        assertEquals(left.get(0).getKid(), auth0.clients().credentials().get(id, second).getKid());
        auth0.clients().delete(id);
    }
}
