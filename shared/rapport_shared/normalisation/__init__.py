"""Normal forms: one spelling for what people write in many ways. Pure, and the same in every service."""

from rapport_shared.normalisation.addresses import PostalAddress, postal_address
from rapport_shared.normalisation.assets import normalise_asset_key, normalise_plate, normalise_serial
from rapport_shared.normalisation.company_names import CompanyName, company_name
from rapport_shared.normalisation.forms import NORM_VERSION, UNUSABLE, NormalForm
from rapport_shared.normalisation.identifiers import (
    identifier_key,
    normalise_email,
    normalise_identifier,
    normalise_phone,
    phone_region,
    reads_identifier,
    system_and_record,
)
from rapport_shared.normalisation.name_keys import PersonName, person_name
from rapport_shared.normalisation.names import normalise_birth_date, normalise_name
from rapport_shared.normalisation.records import WEB_IDENTIFIED, source_record

__all__ = [
    "NORM_VERSION",
    "UNUSABLE",
    "WEB_IDENTIFIED",
    "CompanyName",
    "NormalForm",
    "PersonName",
    "PostalAddress",
    "company_name",
    "identifier_key",
    "normalise_asset_key",
    "normalise_birth_date",
    "normalise_email",
    "normalise_identifier",
    "normalise_name",
    "normalise_phone",
    "normalise_plate",
    "normalise_serial",
    "person_name",
    "phone_region",
    "postal_address",
    "reads_identifier",
    "source_record",
    "system_and_record",
]
