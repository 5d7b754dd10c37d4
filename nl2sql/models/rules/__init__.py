"""A deterministic generator without any model: the keyless baseline. It reads cues, it does not understand."""

from nl2sql.models.rules.generator import Rules, draft

__all__ = ["Rules", "draft"]
