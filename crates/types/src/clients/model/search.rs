//! Words of `GET /clients/search`. What it finds is a [`Client`](super::Client) without `client_secret`,
//! `encryption_key`, `signing_keys`, `owners` and `addons`, and with `created_at` and `updated_at`.

use crate::wire::wire_enum;

wire_enum! {
    /// The language that a search is written in.
    SearchParser {
        /// Filters of RFC 7644 section 3.4.2.2: `name sw "auth" and app_type eq "spa"`.
        Scim = "scim",
        /// Lucene's: `name:auth* AND app_type:spa`. The one that is used when none is named.
        Lucene = "lucene",
    }
}

wire_enum! {
    /// What the clients that were found are sorted by, in ascending order.
    ClientSort {
        /// Their name.
        Name = "name",
        /// When they were changed last.
        UpdatedAt = "updated_at",
    }
}
