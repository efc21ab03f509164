"""Settings from the environment, the same for all services. Variables begin with `RAPPORT_`."""

from typing import Literal
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings that all services have; a service adds its own by inheriting."""

    model_config = SettingsConfigDict(env_prefix="RAPPORT_", extra="ignore", frozen=True)

    environment: Literal["local", "production"] = Field(
        default="production",
        description="Production refuses demo keys and short secrets; so it is what one gets unasked.",
    )
    kafka: str = Field(description="Bootstrap servers, host:port separated by commas.")
    database: str = Field(description="DSN of the service's own database.")
    listen: str = Field(default="127.0.0.1:8080", description="Where the HTTP API listens; loopback by default.")
    token_secret: str = Field(
        description="Signs the caller's identity between gateway and owners; at least 32 characters."
    )
    process: str = Field(
        default="",
        max_length=60,
        pattern=r"^[a-z0-9-]*$",
        description="Name of this process in logs and metrics; where it is empty, the service's name.",
    )
    pool_size: int = Field(
        default=10,
        ge=2,
        le=100,
        description="Database connections of one pool. The gateway has up to four in a process, all others one.",
    )
    lanes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Leaders that a consumer's partitions are split over; more when one core is not enough.",
    )
    batch_size: int = Field(
        default=500,
        ge=1,
        le=5000,
        description="Records of one transaction; past 500 throughput no longer grows.",
    )
    rest_ms: int = Field(
        default=20,
        ge=0,
        le=1000,
        description="Longest rest between batches from touchpoint to view, taken when the consumer is half busy.",
    )
    background_rest_ms: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="Longest rest between batches of all other consumers; they rest half of it at least.",
    )
    niceness: int = Field(
        default=0,
        ge=0,
        le=19,
        description="How far the process lets others go first where they share processors, as in nice(1).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("token_secret")
    @classmethod
    def _long_enough(cls, secret: str) -> str:
        if len(secret) < 32:
            raise ValueError("a secret needs at least 32 characters")
        return secret

    def shown(self) -> dict[str, object]:
        """The settings as a log may hold them: no secrets, and of addresses neither user nor password nor query."""
        return {
            name: _without_credentials(value) if isinstance(value, str) else value
            for name, value in self.model_dump(mode="json").items()
            if "secret" not in name
        }

    @property
    def listen_address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host or "127.0.0.1", int(port)


def _without_credentials(value: str) -> str:
    """A text as it is; of an address only scheme, host, port and path, for user and query may hold a password."""
    if "://" not in value:
        return value
    parts = urlsplit(value)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class IdentifierSettings(ServiceSettings):
    """Settings of the services that make normal forms and keys of identifiers; they are the same in all of them."""

    identifier_secret: str = Field(
        min_length=32,
        description="Makes identifier keys and signs what the gateway adds to touchpoints; the same in customer, "
        "interaction, ticket and gateway, and never changed.",
    )
    phone_region: str | None = Field(
        default=None,
        description="ISO 3166 code, such as CN: reads phone numbers without country where neither the number nor its "
        "unit names a region; the same in customer, interaction, ticket and gateway.",
    )

    @field_validator("phone_region", mode="before")
    @classmethod
    def _known_region(cls, region: str | None) -> str | None:
        if region and region not in SUPPORTED_REGIONS:
            raise ValueError("it is not an ISO 3166 code of two capital letters, such as CN")
        return region or None
