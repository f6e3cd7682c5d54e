"""What the other end is: kind, version and name, guessed from what it answers."""

from dataclasses import dataclass
from typing import Any

CAMUNDA = "Camunda 7"
OPERATON = "Operaton"
CIB_SEVEN = "CIB seven"
RETRIAGE = "Retriage"
UNKNOWN = "engine"


@dataclass(frozen=True)
class Identity:
    """An engine as the first line of every screen names it.

    Attributes:
        kind: "Camunda 7", "Operaton", "CIB seven", "Retriage" (the embedded engine), or "engine" when it will not say.
        version: version of the engine, ``None`` when it does not tell.
        name: name of the process engine, "default" as a rule.
        url: REST root without credentials.
    """

    kind: str
    version: str | None
    name: str
    url: str


def guess_kind(version: str | None, product: Any) -> str:
    """The kind of an engine.

    Args:
        version: answer of ``GET /version``.
        product: name of the product in ``GET /telemetry/data``; anything but a text when it was not told.

    Operaton names itself there, as does Camunda ("Camunda BPM Runtime", observed on 7.24.0). A Camunda runtime whose
    version does not begin with 7 is a fork that counts anew, and CIB seven is the one that kept the name.
    """
    name = product.lower() if isinstance(product, str) else ""
    seven = version is not None and version.startswith("7.")
    for word, kind in (("retriage", RETRIAGE), ("operaton", OPERATON), ("cib", CIB_SEVEN)):
        if word in name or (version is not None and word in version.lower()):
            return kind
    if seven:
        return CAMUNDA
    return CIB_SEVEN if "camunda" in name and version is not None else UNKNOWN
