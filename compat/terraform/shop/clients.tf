resource "auth0_client" "storefront" {
  name                                  = "Storefront"
  description                           = "What customers see"
  app_type                              = "regular_web"
  logo_uri                              = "https://www.shop.example/storefront.png"
  callbacks                             = ["https://www.shop.example/callback", "https://www.shop.example/other"]
  allowed_logout_urls                   = ["https://www.shop.example/"]
  initiate_login_uri                    = "https://www.shop.example/login"
  grant_types                           = ["authorization_code", "refresh_token", "client_credentials"]
  is_first_party                        = true
  oidc_conformant                       = true
  organization_usage                    = "allow"
  organization_require_behavior         = "no_prompt"
  require_pushed_authorization_requests = true

  client_metadata = {
    team = "web"
    tier = "gold"
  }

  jwt_configuration {
    alg                 = "RS256"
    lifetime_in_seconds = 7200
  }

  refresh_token {
    rotation_type                = "rotating"
    expiration_type              = "expiring"
    leeway                       = 30
    token_lifetime               = 86400
    idle_token_lifetime          = 3600
    infinite_token_lifetime      = false
    infinite_idle_token_lifetime = false
  }

  oidc_logout {
    backchannel_logout_urls = ["https://www.shop.example/backchannel"]
    backchannel_logout_initiators {
      mode                = "custom"
      selected_initiators = ["rp-logout", "idp-logout", "password-changed"]
    }
  }

  addons {
    samlp {
      audience            = "https://partner.example/"
      signature_algorithm = "rsa-sha256"
    }
  }

  default_organization {
    organization_id = auth0_organization.acme.id
    flows           = ["client_credentials"]
  }
}

resource "auth0_client_credentials" "storefront" {
  client_id             = auth0_client.storefront.id
  authentication_method = "client_secret_post"
}

resource "auth0_client" "catalogue" {
  name              = "Catalogue"
  app_type          = "spa"
  callbacks         = ["https://catalogue.shop.example"]
  web_origins       = ["https://catalogue.shop.example"]
  allowed_origins   = ["https://catalogue.shop.example"]
  grant_types       = ["authorization_code", "implicit", "refresh_token"]
  oidc_conformant   = true
  cross_origin_auth = true
  cross_origin_loc  = "https://catalogue.shop.example/cross"
}

resource "auth0_client_credentials" "catalogue" {
  client_id             = auth0_client.catalogue.id
  authentication_method = "none"
}

resource "auth0_client" "phone" {
  name        = "Phone App"
  app_type    = "native"
  grant_types = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]

  mobile {
    android {
      app_package_name         = "example.shop"
      sha256_cert_fingerprints = ["D8:A0:83:04:83:9A:4D:B8:7C:C1:E1:7F:5E:9E:0A:42:C3:D3:8E:1B"]
    }
    ios {
      team_id               = "9JA89QQLNQ"
      app_bundle_identifier = "example.shop"
    }
  }

  native_social_login {
    apple {
      enabled = true
    }
    facebook {
      enabled = false
    }
  }
}

# Knows nothing but the name: all the rest is the server's choice.
resource "auth0_client" "plain" {
  name = "Plain"
}
