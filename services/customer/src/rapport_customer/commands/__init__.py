"""The commands of the customer service: each command is one function in one transaction."""
