"""Mentions in chats that were exported from WeChat and WeCom: files only, in every text-bearing format known."""

from sources.wechat.source import SPEC, WeChatOptions, WeChatSource, WeChatWatchOptions

__all__ = ["SPEC", "WeChatOptions", "WeChatSource", "WeChatWatchOptions"]
