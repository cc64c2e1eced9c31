resource "auth0_connection" "customers" {
  name                 = "Customers"
  strategy             = "auth0"
  is_domain_connection = false
  realms               = ["Customers", "Shoppers"]

  metadata = {
    team = "web"
  }

  options {
    password_policy        = "good"
    brute_force_protection = true
    disable_signup         = true
    requires_username      = true

    password_history {
      enable = true
      size   = 5
    }
    password_no_personal_info {
      enable = true
    }
    password_dictionary {
      enable     = true
      dictionary = ["shop", "orders"]
    }
    password_complexity_options {
      min_length = 12
    }
    validation {
      username {
        min = 3
        max = 20
      }
    }
  }
}

resource "auth0_connection_clients" "customers" {
  connection_id   = auth0_connection.customers.id
  enabled_clients = [auth0_client.storefront.id, auth0_client.catalogue.id]
}

resource "auth0_connection" "staff" {
  name           = "staff"
  display_name   = "Staff"
  strategy       = "oidc"
  show_as_button = true

  options {
    type                     = "back_channel"
    issuer                   = "https://idp.shop.example/"
    authorization_endpoint   = "https://idp.shop.example/authorize"
    token_endpoint           = "https://idp.shop.example/token"
    jwks_uri                 = "https://idp.shop.example/jwks"
    userinfo_endpoint        = "https://idp.shop.example/userinfo"
    client_id                = "the shop"
    client_secret            = "known to the identity provider"
    scopes                   = ["openid", "email", "profile"]
    set_user_root_attributes = "on_first_login"

    connection_settings {
      pkce = "auto"
    }
    attribute_map {
      mapping_mode = "use_map"
      attributes   = jsonencode({ email = "$${context.tokenset.email}" })
    }
  }
}

resource "auth0_connection_client" "staff" {
  connection_id = auth0_connection.staff.id
  client_id     = auth0_client.storefront.id
}

resource "auth0_connection" "google" {
  name     = "google"
  strategy = "google-oauth2"

  options {
    client_id         = "the shop"
    client_secret     = "known to Google"
    allowed_audiences = ["shop.example"]
    scopes            = ["email", "profile"]
  }
}
