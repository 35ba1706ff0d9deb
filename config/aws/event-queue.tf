# The queue in which hostfactory-aws hears of spot interruptions, rebalance recommendations, scheduled changes and ended instances.
# One for each Region and account; the output event_queue is the parameter eventQueue of the provider configuration.

variable "queue_name" {
  type    = string
  default = "hostfactory-events"
}

variable "state_changes" {
  type        = bool
  default     = true
  description = "Whether the queue also gets the ends of instances. With more than three clusters in an account they are more than a call reads: hosts that die are then found by the look at all hosts."
}

data "aws_caller_identity" "current" {}

locals {
  patterns = merge(
    {
      spot-interruptions = { source = ["aws.ec2"], detail-type = ["EC2 Spot Instance Interruption Warning"] }
      rebalance          = { source = ["aws.ec2"], detail-type = ["EC2 Instance Rebalance Recommendation"] }
      scheduled-changes = {
        source      = ["aws.health"]
        detail-type = ["AWS Health Event"]
        detail      = { service = ["EC2"], eventTypeCategory = ["scheduledChange"] }
      }
    },
    var.state_changes ? {
      ended-instances = {
        source      = ["aws.ec2"]
        detail-type = ["EC2 Instance State-change Notification"]
        detail      = { state = ["stopping", "stopped", "shutting-down", "terminated"] }
      }
    } : {}
  )
}

resource "aws_sqs_queue" "events" {
  name                      = var.queue_name
  message_retention_seconds = 300 # a warning is of no use later
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "EventBridgeSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.events.arn
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
      {
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.events.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "events" {
  for_each      = local.patterns
  name          = "${var.queue_name}-${each.key}"
  event_pattern = jsonencode(each.value)
}

resource "aws_cloudwatch_event_target" "events" {
  for_each = local.patterns
  rule     = aws_cloudwatch_event_rule.events[each.key].name
  arn      = aws_sqs_queue.events.arn
}

output "event_queue" {
  value = aws_sqs_queue.events.url
}
