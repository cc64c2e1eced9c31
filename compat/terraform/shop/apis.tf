resource "auth0_resource_server" "orders" {
  name                                            = "Orders"
  identifier                                      = "https://orders.shop.example/"
  signing_alg                                     = "RS256"
  allow_offline_access                            = true
  token_lifetime                                  = 3600
  token_lifetime_for_web                          = 1800
  token_dialect                                   = "access_token_authz"
  enforce_policies                                = true
  skip_consent_for_verifiable_first_party_clients = true

  subject_type_authorization {
    user {
      policy = "require_client_grant"
    }
    client {
      policy = "require_client_grant"
    }
  }
}

resource "auth0_resource_server_scopes" "orders" {
  resource_server_identifier = auth0_resource_server.orders.identifier

  scopes {
    name        = "read:orders"
    description = "Read orders"
  }
  scopes {
    name        = "write:orders"
    description = "Write orders"
  }
}

resource "auth0_resource_server" "invoices" {
  name          = "Invoices"
  identifier    = "https://invoices.shop.example/"
  signing_alg   = "PS256"
  token_dialect = "rfc9068_profile"

  proof_of_possession {
    mechanism = "mtls"
    required  = false
  }
}

resource "auth0_resource_server_scopes" "invoices" {
  resource_server_identifier = auth0_resource_server.invoices.identifier

  scopes {
    name = "read:invoices"
  }
}

resource "auth0_client_grant" "orders" {
  client_id              = auth0_client.order_worker.id
  audience               = auth0_resource_server.orders.identifier
  scopes                 = ["read:orders", "write:orders"]
  subject_type           = "client"
  organization_usage     = "allow"
  allow_any_organization = false
  depends_on             = [auth0_resource_server_scopes.orders]
}

resource "auth0_client_grant" "storefront" {
  client_id    = auth0_client.storefront.id
  audience     = auth0_resource_server.orders.identifier
  scopes       = ["read:orders"]
  subject_type = "user"
  depends_on   = [auth0_resource_server_scopes.orders]
}

resource "auth0_client_grant" "invoices" {
  client_id        = auth0_client.invoice_worker.id
  audience         = auth0_resource_server.invoices.identifier
  subject_type     = "client"
  allow_all_scopes = true
  depends_on       = [auth0_resource_server_scopes.invoices]
}
