# Has no quota and takes its secret from another place.
resource "auth0_client" "order_worker" {
  name               = "Order Worker"
  app_type           = "non_interactive"
  grant_types        = ["client_credentials"]
  organization_usage = "allow"
}

resource "auth0_client_credentials" "order_worker" {
  client_id             = auth0_client.order_worker.id
  authentication_method = "client_secret_post"
  client_secret         = "the second secret of the order worker, which is long"
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

# From certificates to a secret; the other worker is gone.
resource "auth0_client" "mtls_worker" {
  for_each    = toset(["authority"])
  name        = "Worker certified by ${each.key}"
  app_type    = "non_interactive"
  grant_types = ["client_credentials"]

  jwt_configuration {
    alg = "RS256"
  }
}

resource "auth0_client_credentials" "certified" {
  client_id             = auth0_client.mtls_worker["authority"].id
  authentication_method = "client_secret_post"
}
