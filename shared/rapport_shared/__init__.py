"""What the five services share: contracts and plumbing, no rule of a domain."""
