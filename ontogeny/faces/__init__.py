"""Command line, chat, web: they translate, and decide nothing."""
