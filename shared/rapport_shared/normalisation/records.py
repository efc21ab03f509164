"""Which source record a touchpoint names."""

from typing import Final

from rapport_shared.contracts.touchpoints import Touchpoint
from rapport_shared.contracts.touchpoints.profile import WebIdentified
from rapport_shared.normalisation.identifiers import normalise_identifier, system_and_record

WEB_IDENTIFIED: Final = "web.identified"


def source_record(touchpoint: Touchpoint) -> tuple[str, str] | None:
    """System and record that name the touchpoint's profile; None without one or with a placeholder.

    Who signs in at a device and names neither record nor identifier is the record of the account.
    """
    source = touchpoint.source
    if source is None:
        return None
    record = source.record
    if record is None and isinstance(touchpoint, WebIdentified) and not touchpoint.identifiers:
        record = str(touchpoint.data.account)
    if record is None:
        return None
    form = normalise_identifier("external", record, system=source.system)
    return system_and_record(form.normal) if form.usable else None
