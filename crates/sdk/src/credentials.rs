//! Credentials of a client.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use http::Method;
use tenantry_types::clients::model::{Credential, CredentialPatch, CredentialPem, NewCredential};

/// The Credentials API of one client.
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

    /// Makes a credential. Nothing is done with it until the client names it.
    ///
    /// Scope `create:client_credentials`.
    pub fn create(&self, credential: &NewCredential) -> Call<Credential> {
        self.client.call(Method::POST, self.path.clone()).body(credential)
    }

    /// Reads a credential. Scope `read:client_credentials`.
    pub fn get(&self, id: impl AsRef<str>) -> Call<Credential> {
        self.client.call(Method::GET, self.one(id))
    }

    /// Reads all credentials of the client. Scope `read:client_credentials`.
    pub fn list(&self) -> Call<Vec<Credential>> {
        self.client.call(Method::GET, self.path.clone())
    }

    /// Reads the public key or certificate as it was uploaded. Tenantry only; Auth0 answers 404.
    ///
    /// Scope `read:client_credentials`.
    pub fn pem(&self, id: impl AsRef<str>) -> Call<CredentialPem> {
        self.client.call(Method::GET, self.one(id) + "/pem")
    }

    /// Changes when a key stops working. Scope `update:client_credentials`.
    pub fn update(&self, id: impl AsRef<str>, patch: &CredentialPatch) -> Call<Credential> {
        self.client.call(Method::PATCH, self.one(id)).body(patch)
    }

    /// Deletes a credential that the client does not name any more. Scope `delete:client_credentials`.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Method::DELETE, self.one(id))
    }
}
