"""litellm, imported when first needed (it takes seconds) and set to keep quiet, to itself and to its own price map."""

import importlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cache
from types import ModuleType
from typing import Any
from uuid import uuid4

from nl2sql.errors import UserError

LOCAL_MAP = "LITELLM_LOCAL_MODEL_COST_MAP"


@cache
def load_litellm() -> ModuleType:
    """Import litellm and switch off what it does beside calling models.

    Raises UserError when it was free to fetch its price map from the network: the import decides that, by an
    environment variable, and offers no other switch.
    """
    litellm = importlib.import_module("litellm")
    source = importlib.import_module("litellm.litellm_core_utils.get_model_cost_map").get_model_cost_map_source_info()
    if not source["is_env_forced"]:
        raise UserError(f"litellm may not fetch its price map from the network: set {LOCAL_MAP}=True and start again")
    _keep_quiet(litellm)
    return litellm


def _keep_quiet(litellm: Any) -> None:
    litellm.telemetry = False
    litellm.callbacks, litellm.success_callback, litellm.failure_callback = [], [], []
    litellm.turn_off_message_logging = True
    litellm.suppress_debug_info = True
    litellm.drop_params = False
    litellm.modify_params = False
    litellm.cache = None
    litellm.num_retries = None
    # Not an address: the copy in the package is used at once, should the variable that asks for it be missing.
    litellm.anthropic_beta_headers_url = ""
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@cache
def bare_completion() -> Callable[..., Awaitable[Any]]:
    """litellm's acompletion without the decorator that logs, prices and counts each call anew: a third less work.

    Retries, callbacks, caching and budgets of litellm's live in that decorator only, and all of them are off here.
    """
    litellm = load_litellm()
    logs = importlib.import_module("litellm.litellm_core_utils.litellm_logging")
    # Two layers: the choice between implementations, then the decorator.
    complete = litellm.acompletion.__wrapped__.__wrapped__

    async def call(**arguments: Any) -> Any:
        number = uuid4().hex
        # The messages are left out: they would be copied for logs that nobody writes.
        log = logs.Logging(arguments["model"], [], False, "acompletion", datetime.now(), number, number, kwargs={})
        return await complete(litellm_logging_obj=log, litellm_call_id=number, **arguments)

    return call
