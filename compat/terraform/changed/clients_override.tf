resource "auth0_client" "storefront" {
  name                                  = "Storefront 2"
  description                           = ""
  callbacks                             = ["https://www.shop.example/callback"]
  allowed_logout_urls                   = []
  grant_types                           = ["authorization_code", "refresh_token"]
  organization_usage                    = "require"
  organization_require_behavior         = "pre_login_prompt"
  require_pushed_authorization_requests = false

  client_metadata = {
    team = "checkout"
  }

  jwt_configuration {
    alg                 = "PS256"
    lifetime_in_seconds = 3600
  }

  refresh_token {
    rotation_type                = "non-rotating"
    expiration_type              = "non-expiring"
    infinite_token_lifetime      = true
    infinite_idle_token_lifetime = true
  }

  oidc_logout {
    backchannel_logout_urls = ["https://www.shop.example/backchannel/2"]
    backchannel_logout_initiators {
      mode = "all"
    }
  }

  default_organization {
    disable         = true
    organization_id = null
    flows           = null
  }
}

resource "auth0_client_credentials" "storefront" {
  authentication_method = "client_secret_basic"
}

resource "auth0_client" "catalogue" {
  app_type          = "regular_web"
  cross_origin_auth = false
}

resource "auth0_client_credentials" "catalogue" {
  authentication_method = "client_secret_post"
}

resource "auth0_client" "phone" {
  sso = true

  mobile {
    ios {
      team_id               = "9JA89QQLNR"
      app_bundle_identifier = "example.shop.2"
    }
  }

  native_social_login {
    apple {
      enabled = false
    }
    facebook {
      enabled = true
    }
  }
}
