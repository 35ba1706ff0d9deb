# The table in which hostfactory-aws keeps its state, for management hosts without a shared disk. One serves all clusters and providers
# of an account and Region; the output state_table is the parameter stateTable of the provider configuration.

variable "table_name" {
  type    = string
  default = "hostfactory-state"
}

variable "key_arn" {
  type        = string
  default     = null
  description = "A KMS key of yours to encrypt the table with; none for the key of DynamoDB's own. The role of the management hosts then needs kms:Decrypt, kms:Encrypt, kms:ReEncrypt*, kms:GenerateDataKey*, kms:DescribeKey and kms:CreateGrant on it."
}

resource "aws_dynamodb_table" "state" {
  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "pk"
  range_key                   = "sk"

  dynamic "attribute" {
    for_each = ["pk", "sk", "f", "o"]
    content {
      name = attribute.value
      type = "S"
    }
  }

  global_secondary_index {
    name            = "feed"
    hash_key        = "f"
    range_key       = "o"
    projection_type = "KEYS_ONLY"
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = var.key_arn != null
    kms_key_arn = var.key_arn
  }

  # What is known of every running machine is in it.
  lifecycle {
    prevent_destroy = true
  }
}

output "state_table" {
  value = aws_dynamodb_table.state.name
}
