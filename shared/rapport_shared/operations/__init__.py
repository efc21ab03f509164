"""What an operator does to a stack: `rapport status | doctor | topics | resume | dead-letters`."""
