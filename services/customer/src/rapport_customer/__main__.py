"""`python -m rapport_customer run | migrate | rekey | train`."""

import sys

from rapport_customer import maintenance
from rapport_customer.app import build
from rapport_customer.settings import CustomerSettings
from rapport_shared.service import main

if sys.argv[1:2] and sys.argv[1] in maintenance.COMMANDS:
    maintenance.main(sys.argv[1:])
else:
    main("customer", CustomerSettings, build)
