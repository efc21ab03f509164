"""What a policy would do to what is recorded: tried before the policy is activated. Changes nothing."""
