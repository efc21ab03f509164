"""What the customer service does: each command is one function in one transaction."""
