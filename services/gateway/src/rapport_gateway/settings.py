"""Settings of the gateway."""

from pydantic import Field

from rapport_gateway.owners.routes import Owner
from rapport_shared.settings import IdentifierSettings


class GatewaySettings(IdentifierSettings):
    """What the gateway needs beside what every service needs."""

    customer_url: str = Field(description="Base URL of the customer service.")
    interaction_url: str = Field(description="Base URL of the interaction service.")
    ticket_url: str = Field(description="Base URL of the ticket service.")
    scoring_url: str = Field(description="Base URL of the scoring service.")
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Origins whose pages may call the API from a browser, as a JSON list."
    )
    produce_patience_ms: int = Field(
        default=5000, ge=100, le=60_000, description="How long a touchpoint may wait for the broker before it is a 503."
    )
    stream_heartbeat_s: float = Field(
        default=15.0,
        gt=0,
        description="Silence after which a stream shows that it is alive; proxies cut at 30 s and more.",
    )
    changes_kept_hours: int = Field(
        default=24, ge=1, description="How long a stream can be resumed without a fresh snapshot."
    )

    @property
    def owner_urls(self) -> dict[Owner, str]:
        """Where the owners are."""
        return {
            "customer": self.customer_url,
            "interaction": self.interaction_url,
            "ticket": self.ticket_url,
            "scoring": self.scoring_url,
        }
