"""Files in a ``multipart/form-data`` body, with bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from retriage.store.api.bodies import bounded
from retriage.store.api.state import Store
from retriage.store.contract.errors import ContractError, invalid

MAX_PARTS = 500


@dataclass(slots=True)
class Upload:
    """An upload: ``settings`` are its reserved parts, ``files`` all others by file name, in the order of the body."""

    settings: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


class Form:
    """A dependency that reads an upload; ``settings`` are its reserved parts with what they mean."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = settings

    async def __call__(self, request: Request) -> Upload:
        """The upload; see ``read_upload``. It is kept with the request: a body can be read once."""
        if not hasattr(request.state, "upload"):
            request.state.upload = await read_upload(request, frozenset(self.settings))
        upload: Upload = request.state.upload
        return upload


async def read_upload(request: Request, reserved: frozenset[str]) -> Upload:
    """Read an upload. Of files with equal part names only the last counts, as in the engine.

    Args:
        request: the request; its body has not been read.
        reserved: names of parts that are settings.

    Raises:
        ContractError: 415 another media type, 413 too large, 400 not readable or a part without a file name.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "multipart/form-data":
        raise ContractError(415, "NotSupportedException", "HTTP 415 Unsupported Media Type")
    store: Store = request.app.state.store
    parser = MultiPartParser(
        request.headers,
        bounded(request, store.settings.max_upload_bytes),
        max_files=MAX_PARTS,
        max_fields=MAX_PARTS,
        max_part_size=1_000_000,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError):
        raise ContractError(400, "RestException", "multipart/form-data cannot be processed") from None
    try:
        return await _sort(form.multi_items(), reserved)
    finally:
        await form.close()


async def _sort(parts: list[tuple[str, UploadFile | str]], reserved: frozenset[str]) -> Upload:
    upload = Upload()
    files: dict[str, tuple[str, bytes]] = {}
    for name, part in parts:
        content = part.encode() if isinstance(part, str) else await part.read()
        file_name = None if isinstance(part, str) else part.filename
        if name in reserved:
            upload.settings[name] = content.decode("utf-8", "replace")
        elif not file_name:
            raise invalid("No file name found in the deployment resource described by form parameter 'null'.")
        else:
            files[name] = (file_name, content)
    upload.files = dict(files.values())
    return upload
