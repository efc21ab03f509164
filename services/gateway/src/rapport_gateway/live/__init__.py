"""What is pushed to those who follow a customer."""
