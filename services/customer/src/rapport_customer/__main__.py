"""`python -m rapport_customer run | migrate`."""

from rapport_customer.app import build
from rapport_customer.settings import CustomerSettings
from rapport_shared.service import main

main("customer", CustomerSettings, build)
