resource "auth0_resource_server" "orders" {
  name                                            = "Orders 2"
  signing_alg                                     = "PS256"
  allow_offline_access                            = false
  token_lifetime                                  = 7200
  token_dialect                                   = "rfc9068_profile"
  enforce_policies                                = false
  skip_consent_for_verifiable_first_party_clients = false

  subject_type_authorization {
    user {
      policy = "allow_all"
    }
    client {
      policy = "require_client_grant"
    }
  }
}

resource "auth0_resource_server_scopes" "orders" {
  scopes {
    name        = "read:orders"
    description = "Read any order"
  }
  scopes {
    name = "cancel:orders"
  }
}

resource "auth0_resource_server" "invoices" {
  proof_of_possession {
    disable   = true
    mechanism = null
    required  = false
  }
}

resource "auth0_client_grant" "orders" {
  scopes             = ["read:orders", "cancel:orders"]
  organization_usage = "require"
}
