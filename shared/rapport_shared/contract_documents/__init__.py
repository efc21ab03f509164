"""The documents that data consumers and tools read, generated from the contracts. Needs the development group."""
