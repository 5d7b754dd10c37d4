"""A request as the messages of a chat: what a local model sees, and what it must be trained on."""

from nl2sql.models.chat import Prompt, Request


def chat_messages(request: Request) -> list[dict[str, str]]:
    """System text, then context and task as one user message, then the turns; blank parts are left out."""
    turns = [{"role": turn.role, "content": turn.text} for turn in request.turns]
    return [*prompt_messages(request.prompt), *turns]


def prompt_messages(prompt: Prompt) -> list[dict[str, str]]:
    """The same for a prompt alone: training data ends with the assistant's message after these."""
    user = "\n\n".join(part for part in (prompt.context, prompt.task) if part.strip())
    system = [{"role": "system", "content": prompt.system}] if prompt.system.strip() else []
    return [*system, {"role": "user", "content": user}]
