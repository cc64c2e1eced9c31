//! The keys that sign the tenant's tokens.

use crate::call::Call;
use crate::client::{ManagementClient, segment};
use http::Method;
use tenantry_types::signing_keys::{NamedSigningKey, TenantSigningKey};

/// The API of signing keys.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    client: ManagementClient,
}

impl SigningKeys {
    pub(crate) fn new(client: ManagementClient) -> Self {
        Self { client }
    }

    /// Reads all keys: the one that signs, the one that is next, those that signed before, and some that were revoked.
    ///
    /// **Scopes**: `read:signing_keys`.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// let keys = management.signing_keys().list().await?;
    /// let current = keys.iter().find(|key| key.current == Some(true));
    /// assert!(current.is_some_and(|key| key.current_since.is_some()));
    /// # Ok(()) });
    /// ```
    pub fn list(&self) -> Call<Vec<TenantSigningKey>> {
        Call::new(&self.client, Method::GET, "keys/signing")
    }

    /// Reads a key.
    ///
    /// **Scopes**: `read:signing_keys`.
    ///
    /// **Errors**: 404 when there is no such key.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// # let kid = &management.signing_keys().list().await?[0].kid;
    /// let key = management.signing_keys().get(kid).await?;
    /// println!("{}", key.fingerprint);
    /// # Ok(()) });
    /// ```
    pub fn get(&self, kid: impl AsRef<str>) -> Call<TenantSigningKey> {
        Call::new(&self.client, Method::GET, format!("keys/signing/{}", segment(kid.as_ref())))
    }

    /// The next key becomes the one that signs; the answer is the one that is next now. What the key before signed stays
    /// good until that is [revoked](Self::revoke).
    ///
    /// **Scopes**: `create:signing_keys` and `update:signing_keys`.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// let next = management.signing_keys().rotate().await?;
    /// assert_eq!(management.signing_keys().get(&next.kid).await?.next, Some(true));
    /// # Ok(()) });
    /// ```
    pub fn rotate(&self) -> Call<NamedSigningKey> {
        Call::new(&self.client, Method::POST, "keys/signing/rotate")
    }

    /// Ends a key that signed before, for good: what it signed is refused from now on.
    ///
    /// **Scopes**: `update:signing_keys`.
    ///
    /// **Errors**: 404 when there is no such key, 400 for one that still signs or has not yet.
    ///
    /// ```
    /// # tenantry_testkit::example(async |management| {
    /// let keys = management.signing_keys();
    /// let old = keys.list().await?.into_iter().find(|key| key.current == Some(true)).unwrap();
    /// keys.rotate().await?;
    /// keys.revoke(&old.kid).await?;
    /// // The client's own token was one of those; it gets another by itself.
    /// assert_eq!(keys.get(&old.kid).await?.revoked, Some(true));
    /// # Ok(()) });
    /// ```
    pub fn revoke(&self, kid: impl AsRef<str>) -> Call<NamedSigningKey> {
        Call::new(&self.client, Method::PUT, format!("keys/signing/{}/revoke", segment(kid.as_ref())))
    }
}
