"""The value of customers, purely: documents to ledger lines to scores."""
