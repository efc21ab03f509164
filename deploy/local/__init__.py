"""The local stack: real Kafka, real PostgreSQL and the five services on one machine.

`python -m deploy.local run` is what `make run` calls. Tests and benchmarks start the same
infrastructure and the same supervisor through `infrastructure` and `Supervisor`.
"""
