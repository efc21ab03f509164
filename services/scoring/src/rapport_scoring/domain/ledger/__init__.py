"""The value ledger: from documents, contacts and work on assets to lines that add up."""
