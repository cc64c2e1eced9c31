resource "auth0_client" "order_worker" {
  name               = "Order Worker"
  app_type           = "non_interactive"
  grant_types        = ["client_credentials"]
  organization_usage = "allow"

  token_quota {
    client_credentials {
      enforce  = true
      per_day  = 500
      per_hour = 100
    }
  }
}

resource "auth0_client_credentials" "order_worker" {
  client_id             = auth0_client.order_worker.id
  authentication_method = "client_secret_basic"
  client_secret         = "the first secret of the order worker, which is long"
}

resource "auth0_client" "invoice_worker" {
  name        = "Invoice Worker"
  app_type    = "non_interactive"
  grant_types = ["client_credentials"]

  jwt_configuration {
    alg = "RS256"
  }
}

resource "auth0_client_credentials" "invoice_worker" {
  client_id             = auth0_client.invoice_worker.id
  authentication_method = "private_key_jwt"

  private_key_jwt {
    dynamic "credentials" {
      for_each = var.worker_keys
      content {
        name            = credentials.key
        credential_type = "public_key"
        algorithm       = "RS256"
        pem             = credentials.value
      }
    }
  }
}

resource "auth0_client" "mtls_worker" {
  for_each    = toset(["authority", "self"])
  name        = "Worker certified by ${each.key}"
  app_type    = "non_interactive"
  grant_types = ["client_credentials"]

  jwt_configuration {
    alg = "RS256"
  }
}

resource "auth0_client_credentials" "certified" {
  client_id             = auth0_client.mtls_worker["authority"].id
  authentication_method = "tls_client_auth"

  tls_client_auth {
    credentials {
      name            = "subject"
      credential_type = "cert_subject_dn"
      subject_dn      = "C=de\nO=Shop\nCN=worker.shop.example"
    }
  }
}

resource "auth0_client_credentials" "self_certified" {
  client_id             = auth0_client.mtls_worker["self"].id
  authentication_method = "self_signed_tls_client_auth"

  self_signed_tls_client_auth {
    credentials {
      name            = "certificate"
      credential_type = "x509_cert"
      pem             = var.worker_certificate
    }
  }
}
