"""The requests and answers of the customer service's API, by subject."""
