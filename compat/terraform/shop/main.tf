# A tenant as a team would keep it as code. The provider is configured by the environment alone.
terraform {
  required_providers {
    auth0 = {
      source = "auth0/auth0"
    }
  }
}

variable "worker_keys" {
  description = "Public keys, by name, of the client that authenticates by key."
  type        = map(string)
}

variable "worker_certificate" {
  description = "What the client that authenticates by a certificate of its own has."
  type        = string
}
