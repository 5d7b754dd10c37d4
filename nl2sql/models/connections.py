"""Connections to providers, no more at a time than a provider's limit of concurrent calls."""

import importlib
from dataclasses import dataclass, field
from typing import Any

from nl2sql.models.litellm_loading import load_litellm
from nl2sql.models.rate_limits import ProviderLimits

OWN_CLIENT = ("anthropic", "gemini", "hosted_vllm")  # are handed a client; the others a session for OpenAI's client


@dataclass
class Connections:
    """One pool per provider, made when first needed. For use within one event loop; close it there."""

    _sessions: dict[str, Any] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def arguments(self, limits: ProviderLimits) -> dict[str, Any]:
        """What litellm is handed so that it uses the pool of a provider."""
        if limits.provider not in self._sessions:
            self._open(limits)
        if limits.provider in OWN_CLIENT:
            return {"client": self._clients[limits.provider]}
        return {"shared_session": self._sessions[limits.provider]}

    async def close(self) -> None:
        """Close all pools, and the clients that litellm keeps of its own."""
        for session in self._sessions.values():
            await session.close()
        if self._sessions:
            await load_litellm().close_litellm_async_clients()
        self._sessions.clear()
        self._clients.clear()

    def _open(self, limits: ProviderLimits) -> None:
        aiohttp = importlib.import_module("aiohttp")
        handler = importlib.import_module("litellm.llms.custom_httpx.http_handler").AsyncHTTPHandler
        connector = aiohttp.TCPConnector(limit=limits.concurrency, ttl_dns_cache=300)
        session = self._sessions[limits.provider] = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        )
        self._clients[limits.provider] = handler(timeout=limits.timeout, shared_session=session)
