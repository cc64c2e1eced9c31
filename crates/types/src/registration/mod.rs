//! Applications that describe themselves: in a registration request (RFC 7591), or in a metadata document under a URL
//! of their own.

pub mod dynamic;
pub mod metadata_document;
