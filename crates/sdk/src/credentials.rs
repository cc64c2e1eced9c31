//! Credentials of a client.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use http::Method;
use tenantry_types::clients::model::{Credential, CredentialPatch, CredentialPem, NewCredential};

/// The credentials of one client: what it proves itself by instead of a secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    client: ManagementClient,
    path: String,
}

impl Credentials {
    pub(crate) fn new(client: ManagementClient, client_id: &str) -> Self {
        Self { client, path: format!("clients/{}/credentials", segment(client_id)) }
    }

    fn one(&self, id: impl AsRef<str>) -> String {
        format!("{}/{}", self.path, segment(id.as_ref()))
    }

    /// Makes a credential: a public key, a certificate, or the subject of one.
    ///
    /// **Scopes**: `create:client_credentials`.
    ///
    /// **Notes**: nothing is done with it until the client names it in `client_authentication_methods`. Only public
    /// parts are sent.
    ///
    /// **Limits**: two of a type for a client; 4096 characters of PEM; a name of 128.
    ///
    /// **Errors**: 400 for a key that cannot be used or is there already, 404 when there is no such client.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::NewCredential;
    ///
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// # let pem = tenantry_testkit::public_key_pem();
    /// let key = NewCredential::PublicKey {
    ///     pem,
    ///     name: Some("blue".into()),
    ///     alg: None,
    ///     kid: None,
    ///     expires_at: Some("2030-01-01T00:00:00Z".into()),
    ///     parse_expiry_from_cert: None,
    /// };
    /// let credential = management.clients().credentials(&id).create(&key).await?;
    /// println!("{} {:?}", credential.id, credential.kid);
    /// # Ok(()) });
    /// ```
    pub fn create(&self, credential: &NewCredential) -> Call<Credential> {
        Call::new(&self.client, Method::POST, self.path.clone()).body(credential)
    }

    /// Reads a credential.
    ///
    /// **Scopes**: `read:client_credentials`.
    ///
    /// **Errors**: 404 when there is no such client or credential.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// let missing = management.clients().credentials(&id).get("cred_1234567890123456789012").await;
    /// assert!(missing.unwrap_err().is_not_found());
    /// # Ok(()) });
    /// ```
    pub fn get(&self, id: impl AsRef<str>) -> Call<Credential> {
        Call::new(&self.client, Method::GET, self.one(id))
    }

    /// Reads all credentials of the client; there are few, so there are no pages.
    ///
    /// **Scopes**: `read:client_credentials`.
    ///
    /// **Errors**: 404 when there is no such client.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// for credential in management.clients().credentials(&id).list().await? {
    ///     println!("{} expires {:?}", credential.id, credential.expires_at);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn list(&self) -> Call<Vec<Credential>> {
        Call::new(&self.client, Method::GET, self.path.clone())
    }

    /// Reads the public key or certificate as it was uploaded. Tenantry only; Auth0 answers 404.
    ///
    /// **Scopes**: `read:client_credentials`.
    pub fn pem(&self, id: impl AsRef<str>) -> Call<CredentialPem> {
        Call::new(&self.client, Method::GET, self.one(id) + "/pem")
    }

    /// Changes when a key stops working; [`Patch::Null`](crate::Patch::Null) is never.
    ///
    /// **Scopes**: `update:client_credentials`.
    ///
    /// **Errors**: 400 for a credential that is no key, or a time that has passed; 404.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// use tenantry_sdk::{CredentialPatch, Patch};
    ///
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// # let key = serde_json::json!({"credential_type": "public_key", "pem": tenantry_testkit::public_key_pem()});
    /// # let key = serde_json::from_value(key).unwrap();
    /// # let credential_id = management.clients().credentials(&id).create(&key).await?.id;
    /// let patch = CredentialPatch { expires_at: Patch::Value("2030-01-01T00:00:00Z".into()) };
    /// let credential = management.clients().credentials(&id).update(&credential_id, &patch).await?;
    /// # assert!(credential.expires_at.is_some());
    /// # Ok(()) });
    /// ```
    pub fn update(&self, id: impl AsRef<str>, patch: &CredentialPatch) -> Call<Credential> {
        Call::new(&self.client, Method::PATCH, self.one(id)).body(patch)
    }

    /// Deletes a credential that the client does not name any more.
    ///
    /// **Scopes**: `delete:client_credentials`.
    ///
    /// **Errors**: 400 while the client names it; 404 where the server tells that it is not there, which may also be so
    /// because an attempt that got no answer deleted it.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let new = tenantry_sdk::NewClient { name: "n".into(), ..Default::default() };
    /// # let id = management.clients().create(&new).await?.client_id.unwrap();
    /// # let key = serde_json::json!({"credential_type": "public_key", "pem": tenantry_testkit::public_key_pem()});
    /// # let key = serde_json::from_value(key).unwrap();
    /// # let credential_id = management.clients().credentials(&id).create(&key).await?.id;
    /// management.clients().credentials(&id).delete(&credential_id).await?;
    /// # Ok(()) });
    /// ```
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        Call::new(&self.client, Method::DELETE, self.one(id))
    }
}
