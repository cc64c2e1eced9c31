resource "auth0_organization" "acme" {
  name         = "acme-2"
  display_name = "Acme, still"

  metadata = {
    tier = "silver"
  }

  token_quota {
    client_credentials {
      enforce = true
      per_day = 100
    }
  }
}

resource "auth0_organization_connections" "acme" {
  enabled_connections {
    connection_id              = auth0_connection.customers.id
    assign_membership_on_login = false
  }
  enabled_connections {
    connection_id  = auth0_connection.google.id
    show_as_button = true
  }
}

resource "auth0_organization_connection" "globex" {
  assign_membership_on_login = false
  show_as_button             = false
}

resource "auth0_organization_clients" "acme" {
  clients {
    client_id = auth0_client.storefront.id
  }
  clients {
    client_id             = auth0_client.phone.id
    use_for_member_access = true
  }
}

resource "auth0_organization_client" "globex" {
  use_for_member_access = false
}
