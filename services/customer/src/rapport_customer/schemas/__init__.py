"""What the customer service's API takes and answers, by subject."""
