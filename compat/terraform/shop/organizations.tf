resource "auth0_organization" "acme" {
  name         = "acme"
  display_name = "Acme"

  branding {
    logo_url = "https://acme.example/logo.png"
    colors = {
      primary         = "#0059d6"
      page_background = "#ffffff"
    }
  }

  metadata = {
    tier = "gold"
  }

  token_quota {
    client_credentials {
      enforce  = false
      per_hour = 50
    }
  }
}

resource "auth0_organization" "globex" {
  name         = "globex"
  display_name = "Globex"
}

resource "auth0_organization_connections" "acme" {
  organization_id = auth0_organization.acme.id

  enabled_connections {
    connection_id              = auth0_connection.customers.id
    assign_membership_on_login = true
    is_signup_enabled          = false
  }
  enabled_connections {
    connection_id              = auth0_connection.staff.id
    assign_membership_on_login = false
    show_as_button             = false
  }
}

resource "auth0_organization_connection" "globex" {
  organization_id            = auth0_organization.globex.id
  connection_id              = auth0_connection.staff.id
  assign_membership_on_login = true
  show_as_button             = true
}

resource "auth0_organization_clients" "acme" {
  organization_id = auth0_organization.acme.id

  clients {
    client_id             = auth0_client.storefront.id
    use_for_member_access = true
  }
  clients {
    client_id = auth0_client.order_worker.id
  }
}

resource "auth0_organization_client" "globex" {
  organization_id       = auth0_organization.globex.id
  client_id             = auth0_client.storefront.id
  use_for_member_access = true
}

resource "auth0_organization_client_grant" "acme" {
  organization_id = auth0_organization.acme.id
  grant_id        = auth0_client_grant.orders.id
}
