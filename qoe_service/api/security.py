"""Who may ask: API keys, sent as `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from qoe_service.api.errors import ProblemError

_Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="One of the keys in QOE_API_KEYS.")),
]
_Header = Annotated[
    str | None,
    Depends(APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key, bare.")),
]


def api_key_guard(keys: Sequence[str]) -> Callable[..., Awaitable[None]]:
    """A dependency that lets a request pass if it shows one of `keys`; without keys, any may."""
    known = tuple(key.encode() for key in keys)

    async def require_api_key(bearer: _Bearer, header: _Header) -> None:
        shown = header if bearer is None else bearer.credentials
        if known and not _is_known(shown, known):
            raise ProblemError(
                401,
                _refusal(shown),
                headers={"WWW-Authenticate": "Bearer"},
            )

    return require_api_key


def _is_known(shown: str | None, known: tuple[bytes, ...]) -> bool:
    # Every key is compared, so that the time taken does not tell which one was nearly right.
    matches = [hmac.compare_digest((shown or "").encode(), key) for key in known]
    return shown is not None and any(matches)


def _refusal(shown: str | None) -> str:
    if shown is None:
        return "An API key is needed: send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
    return "This API key is not one of the service's; ask whoever set its QOE_API_KEYS."
